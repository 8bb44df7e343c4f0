"""PPOTrainer of TRL 0.21, the last version that had it: seconds per step of one collection of rollouts, after the first."""
import argparse
import json
import statistics
import tempfile
import time

import torch
import transformers
import trl
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, PreTrainedTokenizerFast
from trl import PPOConfig, PPOTrainer

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True)
parser.add_argument("--reward-model", required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("--rollouts", type=int, required=True)
parser.add_argument("--new-tokens", type=int, required=True)
parser.add_argument("--threads", type=int, required=True)
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
with open(arguments.data, encoding="utf-8") as lines:
    rows = [{"input_ids": json.loads(line)["prompt_ids"]} for line in lines]
tokenizer = PreTrainedTokenizerFast(
    tokenizer_file=arguments.model + "/tokenizer.json", bos_token="<|endoftext|>", eos_token="<|im_end|>",
    pad_token="<|endoftext|>", padding_side="left",
)
data = Dataset.from_list(rows[: arguments.rollouts * (arguments.steps + 1)])
config = PPOConfig(
    output_dir=tempfile.mkdtemp(), per_device_train_batch_size=4, gradient_accumulation_steps=arguments.rollouts // 4,
    num_mini_batches=1, num_ppo_epochs=1, total_episodes=arguments.rollouts * arguments.steps,
    response_length=arguments.new_tokens, temperature=1.0, local_rollout_forward_batch_size=arguments.rollouts,
    use_cpu=True, bf16=False, report_to=[], num_sample_generations=0, learning_rate=1e-6, save_strategy="no",
    logging_steps=1, disable_tqdm=True,
)
ends = []


class TimedTrainer(PPOTrainer):
    def log(self, *positional, **named):
        ends.append(time.monotonic())
        return super().log(*positional, **named)


trainer = TimedTrainer(
    args=config, processing_class=tokenizer, train_dataset=data, eval_dataset=data.select(range(4)),
    model=AutoModelForCausalLM.from_pretrained(arguments.model),
    ref_model=AutoModelForCausalLM.from_pretrained(arguments.model),
    reward_model=AutoModelForSequenceClassification.from_pretrained(arguments.reward_model, num_labels=1),
    value_model=AutoModelForSequenceClassification.from_pretrained(arguments.reward_model, num_labels=1),
)
trainer.train()
print(json.dumps({
    "value": statistics.mean(after - before for before, after in zip(ends, ends[1:])),
    "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "trl": trl.__version__},
}))
