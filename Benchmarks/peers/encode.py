"""The tokenizers library on one thread: the time to read a tokenizer, or megabytes of text a second, one text at a time."""
import argparse
import json
import time

import tokenizers

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True, help="a directory with a tokenizer.json")
parser.add_argument("--data", required=True, help='lines of {"text"}')
parser.add_argument("--measure", choices=["load", "encode"], required=True)
arguments = parser.parse_args()

start = time.perf_counter()
tokenizer = tokenizers.Tokenizer.from_file(arguments.model + "/tokenizer.json")
load_seconds = time.perf_counter() - start
with open(arguments.data, encoding="utf-8") as lines:
    texts = [json.loads(line)["text"] for line in lines]
seconds, tokens = 0.0, 0
for text in texts:
    start = time.perf_counter()
    ids = tokenizer.encode(text).ids
    seconds += time.perf_counter() - start
    tokens += len(ids)
size = sum(len(text.encode()) for text in texts)
value = load_seconds if arguments.measure == "load" else size / seconds / 1e6
print(json.dumps({"value": value, "check": tokens, "versions": {"tokenizers": tokenizers.__version__}}))
