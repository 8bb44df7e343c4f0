"""llama.cpp through llama-cpp-python: sampled tokens per second, prompts included, all sequences in one batch."""
import argparse
import json
import random
import statistics
import time

import llama_cpp

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True, help="a GGUF file")
parser.add_argument("--batch", type=int, required=True)
parser.add_argument("--prompt-tokens", type=int, required=True)
parser.add_argument("--new-tokens", type=int, required=True)
parser.add_argument("--repetitions", type=int, default=1)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--greedy-after", type=int, nargs="*", help="only print what the likeliest tokens after these ids are")
arguments = parser.parse_args()

prompts_at_once = 2048
silence = llama_cpp.llama_log_callback(lambda *_: None)  # a name of its own: C keeps no reference
llama_cpp.llama_log_set(silence, None)
llama_cpp.llama_backend_init()
model = llama_cpp.llama_model_load_from_file(arguments.model.encode(), llama_cpp.llama_model_default_params())
settings = llama_cpp.llama_context_default_params()
# Every sequence has as much of the context as any other, rounded up as llama.cpp wants it.
length = -(-(arguments.prompt_tokens + arguments.new_tokens) // 256) * 256
settings.n_ctx = arguments.batch * length
settings.n_batch = prompts_at_once
settings.n_seq_max = arguments.batch
settings.n_threads = settings.n_threads_batch = arguments.threads
context = llama_cpp.llama_init_from_model(model, settings)
vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
tokens = llama_cpp.llama_batch_init(prompts_at_once, 0, 1)
sampler = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
greedy = arguments.greedy_after is not None
last = llama_cpp.llama_sampler_init_greedy() if greedy else llama_cpp.llama_sampler_init_dist(1)
llama_cpp.llama_sampler_chain_add(sampler, last)


def add(token, position, sequence, wants_logits):
    place = tokens.n_tokens
    tokens.token[place], tokens.pos[place] = token, position
    tokens.n_seq_id[place], tokens.seq_id[place][0] = 1, sequence
    tokens.logits[place] = wants_logits
    tokens.n_tokens += 1
    return place


def decode():
    if llama_cpp.llama_decode(context, tokens) != 0:
        raise SystemExit("llama_decode failed")


def read(prompts):
    """The first token after each prompt; as many whole prompts at once as fit."""
    found, places = [], []
    tokens.n_tokens = 0
    for sequence, prompt in enumerate(prompts):
        if tokens.n_tokens + len(prompt) > prompts_at_once:
            decode()
            found += [llama_cpp.llama_sampler_sample(sampler, context, place) for place in places]
            tokens.n_tokens, places = 0, []
        for position, token in enumerate(prompt):
            place = add(token, position, sequence, position == len(prompt) - 1)
        places.append(place)
    decode()
    return found + [llama_cpp.llama_sampler_sample(sampler, context, place) for place in places]


def generate(prompts):
    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
    current = read(prompts)
    results = [[token] for token in current]
    for step in range(arguments.new_tokens - 1):
        tokens.n_tokens = 0
        for sequence, token in enumerate(current):
            add(token, len(prompts[sequence]) + step, sequence, True)
        decode()
        current = [llama_cpp.llama_sampler_sample(sampler, context, place) for place in range(len(prompts))]
        for result, token in zip(results, current):
            result.append(token)
    return results


def seconds(prompts):
    start = time.perf_counter()
    generate(prompts)
    return time.perf_counter() - start


if greedy:
    print(json.dumps(generate([arguments.greedy_after])[0]))
    raise SystemExit
rng = random.Random(1)
prompts = [[rng.randrange(10, vocabulary - 10) for _ in range(arguments.prompt_tokens)] for _ in range(arguments.batch)]
seconds(prompts)  # warms up
times = [seconds(prompts) for _ in range(arguments.repetitions)]
print(json.dumps({
    "value": arguments.batch * arguments.new_tokens / statistics.median(times),
    "versions": {"llama_cpp_python": llama_cpp.__version__},
}))
