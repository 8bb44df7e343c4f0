#!/usr/bin/env python3
"""Tiny random checkpoints of every family go from transformers through training here and back.

Run by hand, with torch and transformers installed, after a build:

    python3 Tests/Families/round-trip.py [PROGRAM]     (PROGRAM is ./rto where it is not given)

For each family: transformers writes a model; `rto score` must find its logits; `rto train sft` and `rto train dpo` take four steps; each
result must load into transformers with no missing or unexpected tensor, differ from what it was, and have the logits that
`rto score` finds.
"""
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
import transformers

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = sys.argv[1] if len(sys.argv) > 1 else str(HERE.parent.parent / "rto")
IDS = [(5 * i * i + 7 * i + 1) % 24 for i in range(17)]


def families():
    specification = importlib.util.spec_from_file_location("recording", HERE / "record-families.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def run(arguments, text=""):
    done = subprocess.run([PROGRAM, *map(str, arguments)], input=text, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{arguments}: status {done.returncode}\n{done.stderr}")
    return done.stdout


def our_logits(directory):
    row = json.loads(run(["score", "--model", directory, "--top-logits", 24], json.dumps({"ids": IDS}) + "\n"))
    logits = torch.zeros(len(IDS), 24)
    for position, top in enumerate(row["top_logits"]):
        for entry in top:
            number, logit = (entry["id"], entry["logit"]) if isinstance(entry, dict) else entry
            logits[position, number] = logit
    return logits


def their_logits(directory):
    model, report = transformers.AutoModelForCausalLM.from_pretrained(
        directory, output_loading_info=True, attn_implementation="eager", dtype=torch.float32)
    left = {key: value for key, value in report.items() if value}
    if left:
        sys.exit(f"{directory}: transformers reports {left}")
    with torch.no_grad():
        return model.eval()(torch.tensor([IDS])).logits[0]


def compare(directory):
    difference = (our_logits(directory) - their_logits(directory)).abs().max().item()
    if difference > 1e-4:
        sys.exit(f"{directory}: logits differ by {difference}")
    return difference


def main():
    transformers.utils.logging.disable_progress_bar()
    recording = families()
    for name, (family, changes) in recording.FAMILIES.items():
        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            torch.manual_seed(1)
            configuration = getattr(transformers, family + "Config")(**{**recording.SHARED, **changes})
            prefix = "Gemma3" if family == "Gemma3Text" else family
            model = getattr(transformers, prefix + "ForCausalLM")(configuration).float()
            recording.fill(model, family.startswith("Gemma"))
            model.save_pretrained(place / "start")
            differences = [compare(place / "start")]
            prompt, answers = IDS[:9], (IDS[9:], [3, 5, 7])
            rows = {
                "sft": {"input_ids": IDS, "prompt_length": len(prompt)},
                "dpo": {"prompt_ids": prompt, "chosen_ids": answers[0], "rejected_ids": answers[1]},
            }
            for stage, row in rows.items():
                data = place / f"{stage}.jsonl"
                data.write_text((json.dumps(row) + "\n") * 4)
                run(["train", stage, "--model", place / "start", "--data", data, "--output", place / stage,
                     "--batch-size", 1, "--learning-rate", 0.01, "--epochs", 1])
                differences.append(compare(place / stage))
                if torch.equal(their_logits(place / stage), their_logits(place / "start")):
                    sys.exit(f"{name}: {stage} changed nothing")
            print(f"{name}: logits differ by at most {max(differences):.1e}")


main()
