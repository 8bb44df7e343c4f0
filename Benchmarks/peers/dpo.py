"""TRL's DPOTrainer on rows of token ids: seconds per optimizer step after the first."""
import argparse
import json
import statistics
import tempfile
import time

import torch
import transformers
import trl
from datasets import Dataset
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, TrainerCallback
from trl import DPOConfig, DPOTrainer

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("--pairs", type=int, required=True)
parser.add_argument("--max-length", type=int, default=512)
parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
parser.add_argument("--threads", type=int, required=True)
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
with open(arguments.data, encoding="utf-8") as lines:
    rows = [json.loads(line) for line in lines][: arguments.steps * arguments.pairs]
ends = []


class Clock(TrainerCallback):
    def on_step_end(self, *_, **__):
        # The clock of the whole machine, so that whoever started this process can subtract.
        ends.append(time.monotonic())


class TokenTrainer(DPOTrainer):
    """Takes rows that are tokenised already, as they are."""

    def _prepare_dataset(self, dataset, *_, **__):
        return dataset


config = DPOConfig(
    output_dir=tempfile.mkdtemp(), per_device_train_batch_size=arguments.pairs, max_length=arguments.max_length,
    learning_rate=5e-7, max_steps=arguments.steps, train_sampling_strategy="sequential", logging_steps=1, report_to=[],
    use_cpu=True, bf16=arguments.precision == "bfloat16", save_strategy="no", gradient_checkpointing=False,
    disable_tqdm=True,
)
tokenizer = PreTrainedTokenizerFast.from_pretrained(arguments.model)
trainer = TokenTrainer(
    AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32), args=config, processing_class=tokenizer,
    train_dataset=Dataset.from_list(rows), callbacks=[Clock()],
)
trainer.train()
steps = [after - before for before, after in zip(ends, ends[1:])]
first = next(entry for entry in trainer.state.log_history if "logps/chosen" in entry)
print(json.dumps({
    "value": statistics.mean(steps) if steps else None, "first_step_ended": ends[0], "check": first["logps/chosen"],
    "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "trl": trl.__version__},
}))
