"""This program's side of a row."""
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

from .pairs import Measurement
from .processes import Failure, finished, last_json_line


ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def built_program():
    """The release binary, brought up to date: the launcher's own milliseconds are not the program's."""
    subprocess.run([ROOT / "rto", "--version"], check=True, stdout=subprocess.DEVNULL)
    return ROOT / ".build" / "release" / "rto"


def generation(rto, model, precision, batch, prompt_tokens, new_tokens, threads):
    """Sampled tokens per second, prompts included, as `rto bench` measures them."""
    command = [
        rto, "bench", "--work", "generate", "--json", "--model", model, "--precision", precision, "--batch", batch,
        "--prompt-tokens", prompt_tokens, "--new-tokens", new_tokens, "--threads", threads, "--repetitions", 1,
        "--device", "cpu",
    ]

    def measure():
        text, _, _ = finished(command)
        found = last_json_line(text, command)
        return Measurement(found["generate"]["tokens_per_second"], found["generate"]["peak_memory_bytes"],
                           versions={"rto": found["rto"], "libtorch": found["libtorch"]})
    return measure


def tokenizing(rto, model, data, measured):
    """Seconds to read a tokenizer, or megabytes of text encoded a second, by the program's own clock."""
    # Ids go nowhere; the clock's line alone is kept.
    command = ["sh", "-c", 'exec "$0" tokenize --timing --model "$1" <"$2" 2>&1 >/dev/null', rto, model, data]

    def measure():
        text, peak, _ = finished(command)
        found = last_json_line(text, command)
        rate = found["bytes"] / found["encode_seconds"] / 1e6
        return Measurement(found["load_seconds"] if measured == "load" else rate, peak, found["tokens"])
    return measure


def training(command, check=None):
    """Seconds per optimizer step after the first, from the run's own metrics."""
    def measure():
        with tempfile.TemporaryDirectory() as directory:
            run = pathlib.Path(directory, "run")
            _, peak, _ = finished(command + ["--output", run])
            rows = metrics(run)
            steps = [row["step_seconds"] for row in rows[1:]]
            if not steps:
                raise Failure(f"{' '.join(map(str, command))}\nmade one step only; a second one is wanted")
            return Measurement(statistics.mean(steps), peak, rows[0].get(check))
    return measure


def first_step(command):
    """Seconds from the start of the process until the metrics of its first optimizer step are written."""
    def measure():
        with tempfile.TemporaryDirectory() as directory:
            run = pathlib.Path(directory, "run")
            done = []

            def watch(is_running):
                while not done and is_running():
                    if metrics(run):
                        done.append(time.monotonic())
                    else:
                        time.sleep(0.002)

            _, peak, start = finished(command + ["--output", run], watch)
            if not done:
                raise Failure(f"{' '.join(map(str, command))}\nended before its first step was seen")
            return Measurement(done[0] - start, peak)
    return measure


def metrics(run):
    """The whole lines of a run's metrics.jsonl; none while there is no such file."""
    path = run / "metrics.jsonl"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
