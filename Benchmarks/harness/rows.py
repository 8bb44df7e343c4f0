"""The rows: what is compared with whom, and which ratio is promised."""
import dataclasses
import pathlib
from typing import Callable

from . import ours, processes

PEERS = pathlib.Path(__file__).parent.parent / "peers"


@dataclasses.dataclass
class Row:
    """One comparison. `sides` makes the two measuring functions from the settings of a run."""

    title: str
    unit: str
    higher_is_better: bool
    bar: str
    sides: Callable
    #: Which environment of `setup` the peer needs.
    peer: str


def generate(model, precision, batch, prompt, new, bar):
    def sides(run):
        own = ours.generation(run.rto, run.inputs / model, precision, batch, prompt, new, run.threads)
        peer = processes.script([
            run.python("trl"), PEERS / "generate.py", "--model", run.inputs / model, "--precision", precision,
            "--batch", batch, "--prompt-tokens", prompt, "--new-tokens", new, "--threads", run.threads,
        ])
        return own, peer
    title = f"generate {model}, batch {batch}, {prompt} + {new} tokens, {precision}, against transformers"
    return Row(title, "tokens/s", True, bar, sides, "trl")


def generate_llama(model, precision, batch, prompt, new, bar):
    def sides(run):
        own = ours.generation(run.rto, run.inputs / model, precision, batch, prompt, new, run.threads)
        peer = processes.script([
            run.python("llama"), PEERS / "llama.py", "--model", run.inputs / f"{model}.{precision}.gguf",
            "--batch", batch, "--prompt-tokens", prompt, "--new-tokens", new, "--threads", run.threads,
        ])
        return own, peer
    title = f"generate {model}, batch {batch}, {prompt} + {new} tokens, {precision}, against llama.cpp"
    return Row(title, "tokens/s", True, bar, sides, "llama")


def dpo_commands(run, model, precision, pairs, steps):
    data = run.inputs / f"{model}.pairs.jsonl"
    own = [
        run.rto, "train", "dpo", "--model", run.inputs / model, "--data", data, "--no-shuffle", "--max-length", 512,
        "--batch-size", pairs, "--max-steps", steps, "--learning-rate", 5e-7, "--precision", precision,
        "--threads", run.threads, "--device", "cpu",
    ]
    peer = [
        run.python("trl"), PEERS / "dpo.py", "--model", run.inputs / model, "--data", data, "--pairs", pairs,
        "--steps", steps, "--precision", precision, "--threads", run.threads,
    ]
    return own, peer


def dpo(model, precision, bar, steps):
    def sides(run):
        own, peer = dpo_commands(run, model, precision, 4, run.steps or steps)
        return ours.training(own, check="logps/chosen"), processes.script(peer)
    title = f"DPO step {model}, 4 pairs of at most 512 tokens, {precision}, against TRL"
    return Row(title, "seconds", False, bar, sides, "trl")


def memory(model, precision, bar, steps):
    def sides(run):
        own, peer = dpo_commands(run, model, precision, 4, run.steps or steps)
        return processes.peak_of(ours.training(own)), processes.peak_of(processes.script(peer))
    title = f"peak memory of DPO {model}, 4 pairs of at most 512 tokens, {precision}, against TRL"
    return Row(title, "GB", False, bar, sides, "trl")


def ppo(model, bar, steps):
    def sides(run):
        data, reward = run.inputs / f"{model}.prompts.jsonl", run.inputs / f"{model}-reward"
        count = run.steps or steps
        own = [
            run.rto, "train", "ppo", "--model", run.inputs / model, "--reward-model", reward, "--data", data,
            "--no-shuffle", "--rollout-batch-size", 32, "--batch-size", 32, "--max-prompt-length", 64,
            "--max-new-tokens", 64, "--max-steps", count, "--threads", run.threads, "--device", "cpu",
        ]
        peer = [
            run.python("ppo"), PEERS / "ppo.py", "--model", run.inputs / model, "--reward-model", reward, "--data", data,
            "--rollouts", 32, "--new-tokens", 64, "--steps", count, "--threads", run.threads,
        ]
        return ours.training(own), processes.script(peer)
    return Row(f"PPO step {model}, 32 rollouts of 64 + 64 tokens, against TRL 0.21", "seconds", False, bar, sides, "ppo")


def tokenizing(model, measured, bar):
    def sides(run):
        directory, data = run.inputs / model, run.inputs / "texts.jsonl"
        peer = [
            run.python("trl"), PEERS / "encode.py", "--model", directory, "--data", data, "--measure", measured,
        ]
        return ours.tokenizing(run.rto, directory, data, measured), processes.script(peer)
    what, unit = ("reading", "seconds") if measured == "load" else ("encoding with", "MB/s")
    title = f"{what} a tokenizer, {model}, one thread, against the tokenizers library"
    return Row(title, unit, measured != "load", bar, sides, "trl")


def startup():
    def sides(run):
        own, peer = dpo_commands(run, "8M", "float32", 1, 1)
        return ours.first_step(own), processes.first_step_of(peer)
    title = "process start to the end of the first optimizer step, DPO 8M, one pair, against TRL"
    return Row(title, "seconds", False, "under 1 s", sides, "trl")


def help_text():
    def sides(run):
        peer = [run.python("trl"), "-c", "import trl; from trl import DPOTrainer"]
        return processes.seconds_of([run.rto, "--help"]), processes.seconds_of(peer)
    return Row("rto --help against import trl", "seconds", False, "under 0.03 s", sides, "trl")


ROWS = {
    "generate-135m-batch16": generate("135M", "float32", 16, 128, 64, "6 times"),
    "generate-135m-batch16-bfloat16": generate("135M", "bfloat16", 16, 128, 64, "6 times"),
    "generate-135m-batch1": generate("135M", "float32", 1, 128, 64, "4 times"),
    "generate-135m-batch1-bfloat16": generate("135M", "bfloat16", 1, 128, 64, "3 times"),
    "generate-8m-batch16": generate("8M", "float32", 16, 128, 128, "5 times"),
    "llama-135m-batch16": generate_llama("135M", "float32", 16, 128, 64, "ahead"),
    "llama-135m-batch16-bfloat16": generate_llama("135M", "bfloat16", 16, 128, 64, "ahead"),
    "llama-135m-batch1": generate_llama("135M", "float32", 1, 128, 64, "level"),
    "llama-135m-batch1-bfloat16": generate_llama("135M", "bfloat16", 1, 128, 64, "level"),
    "llama-8m-batch16": generate_llama("8M", "float32", 16, 128, 128, "ahead"),
    "dpo-135m": dpo("135M", "float32", "4 times", 3),
    "dpo-135m-bfloat16": dpo("135M", "bfloat16", "4 times", 3),
    "dpo-8m": dpo("8M", "float32", "4 times", 6),
    "ppo-8m": ppo("8M", "4 times", 4),
    "tokenize-wordpiece": tokenizing("wordpiece-30k", "encode", "ahead"),
    "tokenize-bpe": tokenizing("bpe-128k", "encode", "ahead"),
    "load-wordpiece": tokenizing("wordpiece-30k", "load", "level"),
    "load-bpe": tokenizing("bpe-128k", "load", "level"),
    "startup": startup(),
    "help": help_text(),
    "memory": memory("135M", "float32", "3 times less", 2),
}
