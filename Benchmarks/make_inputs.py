"""Random Llama models with byte-level BPE tokenizers, tokenizers to be timed, and token rows that every program reads as they are.

Rows are tokenised here, once, so that no difference of chat templates or truncation changes the work that is compared.
Existing models are kept; rows are written anew.
"""
import argparse
import gzip
import json
import os
import pathlib
import random

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification, PreTrainedTokenizerFast

SHAPES = {
    "8M": dict(hidden_size=256, intermediate_size=688, num_hidden_layers=8, num_attention_heads=8,
               num_key_value_heads=4, vocab_size=8192),
    "135M": dict(hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
                 num_key_value_heads=3, vocab_size=49152, rope_theta=100000.0),
}
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def generated_pairs(count):
    """Rows of made-up words with the lengths of instruction data, for machines without any."""
    rng = random.Random(1)
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "is")]
    words = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(40000)]
    weights = [1 / (rank + 1) for rank in range(len(words))]

    def text(median):
        length = max(4, int(rng.lognormvariate(0, 0.7) * median))
        return " ".join(rng.choices(words, weights, k=length)) + "."

    return [{"prompt": text(25), "chosen": text(170), "rejected": text(150)} for _ in range(count)]


def read_pairs(path):
    if path is None:
        return generated_pairs(2000)
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def shared_data():
    """The preference data of the project's shared folder, where RTO_SHARED names one."""
    shared = os.environ.get("RTO_SHARED")
    path = pathlib.Path(shared or "", "data", "alpaca_preferences.train.jsonl.gz")
    return path if shared and path.exists() else None


def make_tokenizer(pairs, vocabulary):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=SPECIAL,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator((row[key] for row in pairs for key in ("prompt", "chosen")), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=SPECIAL[0], eos_token=SPECIAL[2],
                                   pad_token=SPECIAL[0])


def make_wordpiece(texts, directory):
    """BERT's kind, trained here."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=30000, special_tokens=special))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    directory.mkdir()
    tokenizer.save(str(directory / "tokenizer.json"))


def make_large_vocabulary(texts, directory, size=128000):
    """A byte-level vocabulary as large as Llama 3's: what training finds in the texts, then merges drawn at random."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    file = json.loads(tokenizer.to_str())
    vocabulary, merges = file["model"]["vocab"], file["model"]["merges"]
    names, rng = list(vocabulary), random.Random(2)
    while len(names) < size:
        left, right = rng.choice(names), rng.choice(names)
        if len(left + right) <= 16 and left + right not in vocabulary:
            vocabulary[left + right] = len(names)
            names.append(left + right)
            merges.append([left, right])
    directory.mkdir()
    with open(directory / "tokenizer.json", "w", encoding="utf-8") as output:
        json.dump(file, output, ensure_ascii=False)


def make_model(shape, tokenizer, directory):
    torch.manual_seed(0)
    config = LlamaConfig(**shape, max_position_embeddings=2048, tie_word_embeddings=True, rms_norm_eps=1e-5,
                         bos_token_id=0, eos_token_id=2, pad_token_id=0)
    LlamaForCausalLM(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def make_reward_model(source, tokenizer, directory):
    torch.manual_seed(1)
    LlamaForSequenceClassification.from_pretrained(source, num_labels=1).save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def tokenised_pairs(pairs, tokenizer, max_length):
    """Whole sequences of at most `max_length` tokens: a response that is longer is cut at its end."""
    for row in pairs:
        prompt = tokenizer(row["prompt"] + "\n\n").input_ids
        if len(prompt) > max_length // 2:
            continue
        room = max_length - len(prompt)
        sides = {side: (tokenizer(row[side]).input_ids + [tokenizer.eos_token_id])[:room]
                 for side in ("chosen", "rejected")}
        yield {"prompt_ids": prompt, "chosen_ids": sides["chosen"], "rejected_ids": sides["rejected"]}


def tokenised_prompts(pairs, tokenizer, length):
    """Prompts of exactly `length` tokens."""
    for row in pairs:
        ids = tokenizer(row["prompt"] + "\n\n" + row["chosen"]).input_ids
        if len(ids) >= length:
            yield {"prompt_ids": ids[:length]}


def write_rows(path, rows, limit):
    with open(path, "w", encoding="utf-8") as file:
        for _, row in zip(range(limit), rows):
            file.write(json.dumps(row) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, default=shared_data(),
                        help="JSON lines with prompt, chosen and rejected; none is generated text")
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--prompt-length", type=int, default=64)
    arguments = parser.parse_args()
    pairs = read_pairs(arguments.data)
    arguments.output.mkdir(parents=True, exist_ok=True)
    texts = [row[key] for row in pairs for key in ("prompt", "chosen", "rejected")]
    write_rows(arguments.output / "texts.jsonl", ({"text": text} for text in texts), 6000)
    for name, make in [("wordpiece-30k", make_wordpiece), ("bpe-128k", make_large_vocabulary)]:
        if not (arguments.output / name / "tokenizer.json").exists():
            make(texts, arguments.output / name)
    for name, shape in SHAPES.items():
        directory = arguments.output / name
        if not (directory / "config.json").exists():
            make_model(shape, make_tokenizer(pairs, shape["vocab_size"]), directory)
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(directory / "tokenizer.json"), bos_token=SPECIAL[0],
                                            eos_token=SPECIAL[2], pad_token=SPECIAL[0])
        reward = arguments.output / f"{name}-reward"
        if name == "8M" and not (reward / "config.json").exists():
            make_reward_model(directory, tokenizer, reward)
        write_rows(arguments.output / f"{name}.pairs.jsonl",
                   tokenised_pairs(pairs, tokenizer, arguments.max_length), 512)
        write_rows(arguments.output / f"{name}.prompts.jsonl",
                   tokenised_prompts(pairs, tokenizer, arguments.prompt_length), 512)


if __name__ == "__main__":
    main()
