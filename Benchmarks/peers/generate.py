"""transformers `generate`: sampled tokens per second, prompts included."""
import argparse
import json
import statistics
import time

import torch
import transformers
from transformers import AutoModelForCausalLM

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True)
parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
parser.add_argument("--batch", type=int, required=True)
parser.add_argument("--prompt-tokens", type=int, required=True)
parser.add_argument("--new-tokens", type=int, required=True)
parser.add_argument("--repetitions", type=int, default=1)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--device", default="cpu")
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
dtype = getattr(torch, arguments.precision)
model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=dtype).eval().to(arguments.device)
prompts = torch.randint(10, model.config.vocab_size - 10, (arguments.batch, arguments.prompt_tokens))
prompts = prompts.to(arguments.device)


def seconds(new_tokens):
    start = time.perf_counter()
    model.generate(prompts, attention_mask=torch.ones_like(prompts), do_sample=True, top_k=0, pad_token_id=0,
                   min_new_tokens=new_tokens, max_new_tokens=new_tokens)
    if arguments.device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start


with torch.inference_mode():
    seconds(4)  # warms up
    times = [seconds(arguments.new_tokens) for _ in range(arguments.repetitions)]
print(json.dumps({
    "value": arguments.batch * arguments.new_tokens / statistics.median(times),
    "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
}))
