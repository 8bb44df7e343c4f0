#!/usr/bin/env python3
"""Small tokenizers of every kind, and what the tokenizers library makes of random texts with them.

    python3 generate.py train FOLDER                   writes FOLDER/KIND/tokenizer.json for every kind
    python3 generate.py record FOLDER COUNT [SEED]     writes FOLDER/KIND/answers.jsonl for the tokenizers that lie there

Needs tokenizers and, for `train`, sentencepiece. Each line has `text`, `ids` (with special tokens), `plain` (without), `decoded`, `skipped`.
"""
import base64
import json
import os
import random
import sys
import tempfile

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SENTENCES = [
    "The quick brown fox jumps over the lazy dog, and runs away!", "Don't you think it's 3.14 or 1,000?", "Café naïve résumé Ångström ÀÉÎÕÜ",
    "Привет мир, как дела?", "日本語のテキスト と 中文字符。", "한국어 문장입니다", "ﬁne ﬂow ½ ² ①", "user: hello\nassistant: hi there", "def f(x):\n    return x + 1  # comment",
    "We won't do that; they're here, I'm not.", "İstanbul straße ΑΒΓς", "tokens tokenization tokenizer tokenized", "a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 9",
]
PIECES = ["the", "The", " ", "  ", "quick", "tokenizer", "token", "ization", "fox", "'s", "n't", " .", "!", "?", ",", ";", "...", "\n", "\t", "\r\n", "é", "e\u0301", "É", "ﬁ", "½", "²", "①", "日本", "中", "。", "、", "한국", "각", "각", "Ａ", "ｱ", "ﾞ", "a\u0300\u0316", "ß", "İ", "ı", "Σ", "ς", "\u00a0", "\u3000", "\u200b", "\u200d", "\ufeff", "\u2581", "▁", "🙂", "👨‍👩‍👧", "🇩🇪", "\U0001f3fd", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<unk>", "<s>", "</s>", "<pad>", "##", "</w>", "<0x41>", "|", "-", "_", "$", "^", "`", "~", "+", "=", "<", ">", "#", "(", ")", "1", "23", "4,5", "١", "Ⅷ", "x", "zz", "Q", "\u0000", "\u0007", "\u0085", "\u00ad", "\u0600", "\u2028", "\ufffd", "\ue000", "\u1734", "\u166d", "\u0378", "\U0001d400", "\u0e33", "\u0f71", "ŉ", "ǆ", "ẞ", "मानक", "न्", "\u0903"]


def unigram(vocabulary, unk=0, byte_fallback=False):
    return models.Unigram(vocabulary, unk, byte_fallback)


def save(folder, kind, tokenizer):
    os.makedirs(os.path.join(folder, kind), exist_ok=True)
    # One line, without what is ignored anyway.
    data = json.loads(tokenizer.to_str())
    with open(os.path.join(folder, kind, "tokenizer.json"), "w") as file:
        json.dump(data, file, ensure_ascii=False, separators=(",", ":"))


def trained(model, trainer, normalizer=None, pre=None, post=None, decoder=None):
    tokenizer = Tokenizer(model)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre is not None:
        tokenizer.pre_tokenizer = pre
    tokenizer.train_from_iterator(SENTENCES * 3, trainer)
    if post is not None:
        tokenizer.post_processor = post(tokenizer)
    if decoder is not None:
        tokenizer.decoder = decoder
    return tokenizer


def sentencepiece_table():
    """A small charsmap compiled by SentencePiece from rules of our own."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2 as protocol
    with tempfile.TemporaryDirectory() as folder:
        rules = os.path.join(folder, "rules.tsv")
        pairs = [("ﬁ", "fi"), ("½", "1/2"), ("Ａ", "A"), ("é", "e"), ("e\u0301", "E!"), ("\u00a0", " "), ("\u3000", " "), ("①", "1"), ("\u0007", ""), ("İ", "i"), ("中", "zhong"), ("zz", "Z")]
        with open(rules, "w") as file:
            for source, target in pairs:
                file.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")
        text = os.path.join(folder, "text.txt")
        with open(text, "w") as file:
            file.write("\n".join(SENTENCES * 3))
        sentencepiece.SentencePieceTrainer.train(input=text, model_prefix=os.path.join(folder, "m"), vocab_size=150, model_type="unigram", normalization_rule_tsv=rules, hard_vocab_limit=False, minloglevel=2)
        model = protocol.ModelProto()
        model.ParseFromString(open(os.path.join(folder, "m.model"), "rb").read())
        return model.normalizer_spec.precompiled_charsmap, [(piece.piece, piece.score) for piece in model.pieces]


def train(folder):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    bert = lambda t: processors.BertProcessing(("[SEP]", t.token_to_id("[SEP]")), ("[CLS]", t.token_to_id("[CLS]")))
    save(folder, "wordpiece_uncased", trained(models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer(vocab_size=260, special_tokens=special), normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer(), bert, decoders.WordPiece()))
    save(folder, "wordpiece_cased", trained(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=12), trainers.WordPieceTrainer(vocab_size=260, special_tokens=special), normalizers.BertNormalizer(lowercase=False, strip_accents=None, handle_chinese_chars=False), pre_tokenizers.BertPreTokenizer(), bert, decoders.WordPiece(cleanup=False)))
    save(folder, "wordpiece_accents", trained(models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer(vocab_size=220, special_tokens=special), normalizers.BertNormalizer(lowercase=False, strip_accents=True, clean_text=False), pre_tokenizers.WhitespaceSplit(), None, decoders.WordPiece(prefix="##")))
    save(folder, "wordlevel", trained(models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(vocab_size=120, special_tokens=["<unk>", "<pad>"]), normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip()]), pre_tokenizers.Whitespace(), None, None))
    save(folder, "wordlevel_ctc", trained(models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(vocab_size=120, special_tokens=["<unk>", "<pad>", "|"]), normalizers.Replace(" ", "|"), pre_tokenizers.Sequence([pre_tokenizers.FixedLength(1)]), None, decoders.CTC()))
    save(folder, "wordlevel_fixed", trained(models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(vocab_size=200, special_tokens=["<unk>"]), normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Strip(left=False, right=True)]), pre_tokenizers.Sequence([pre_tokenizers.CharDelimiterSplit("a"), pre_tokenizers.FixedLength(2)]), None, None))
    save(folder, "bpe_suffix", trained(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"), trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>"], end_of_word_suffix="</w>"), normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase()]), pre_tokenizers.Whitespace(), None, decoders.BPEDecoder()))
    save(folder, "bpe_prefix", trained(models.BPE(unk_token="<unk>", continuing_subword_prefix="##", fuse_unk=True), trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>"], continuing_subword_prefix="##"), None, pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("merged_with_previous")]), None, decoders.WordPiece()))
    save(folder, "bpe_bytenormal", trained(models.BPE(), trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()), normalizers.Sequence([normalizers.NFC(), normalizers.ByteLevel()]), pre_tokenizers.Split(Regex("Ġ+"), "merged_with_next"), None, decoders.ByteLevel()))
    save(folder, "bpe_scripts", trained(models.BPE(unk_token="<unk>"), trainers.BpeTrainer(vocab_size=260, special_tokens=["<unk>"]), None, pre_tokenizers.Sequence([pre_tokenizers.UnicodeScripts(), pre_tokenizers.Digits(False)]), None, decoders.Fuse()))
    for behavior in ["removed", "isolated", "merged_with_next", "contiguous"]:
        save(folder, "punctuation_" + behavior, trained(models.BPE(unk_token="<unk>"), trainers.BpeTrainer(vocab_size=200, special_tokens=["<unk>"]), None, pre_tokenizers.Sequence([pre_tokenizers.Punctuation(behavior), pre_tokenizers.Digits(behavior == "isolated")]), None, decoders.Fuse()))
    meta = pre_tokenizers.Metaspace()
    save(folder, "unigram", trained(models.Unigram(), trainers.UnigramTrainer(vocab_size=150, special_tokens=["<unk>", "<s>", "</s>"], unk_token="<unk>"), normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]), meta, lambda t: processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 2)]), decoders.Metaspace()))
    table, pieces = sentencepiece_table()
    tokenizer = Tokenizer(unigram(pieces + [(f"<0x{b:02X}>", 0.0) for b in range(256)], 0, True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(table), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=True)])
    save(folder, "unigram_precompiled", tokenizer)
    save(folder, "unigram_plain", trained(models.Unigram(), trainers.UnigramTrainer(vocab_size=150, special_tokens=["<unk>"], unk_token="<unk>"), normalizers.Lowercase(), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]), None, decoders.Metaspace()))


def text(generator):
    if generator.random() < 0.3:
        base = generator.choice(SENTENCES)
        characters = list(base[generator.randrange(len(base)):][:30])
        for _ in range(generator.randrange(4)):
            characters.insert(generator.randrange(len(characters) + 1), generator.choice(PIECES))
        return "".join(characters)
    parts = []
    for _ in range(generator.randrange(9)):
        if generator.random() < 0.15:
            code = generator.choice([generator.randrange(0x250), generator.randrange(0x3100), generator.randrange(0x20000), generator.randrange(0x110000)])
            if not 0xD800 <= code < 0xE000:
                parts.append(chr(code))
        else:
            parts.append(generator.choice(PIECES))
    return "".join(parts)


def record(folder, count, seed):
    for kind in sorted(os.listdir(folder)):
        path = os.path.join(folder, kind, "tokenizer.json")
        if not os.path.exists(path):
            continue
        tokenizer = Tokenizer.from_file(path)
        tokenizer.no_truncation()
        generator = random.Random(f"{kind} {seed}")
        with open(os.path.join(folder, kind, "answers.jsonl"), "w") as file:
            for _ in range(count):
                sample = text(generator)
                ids = tokenizer.encode(sample).ids
                plain = tokenizer.encode(sample, add_special_tokens=False).ids
                line = {"text": sample, "ids": ids, "plain": plain, "decoded": tokenizer.decode(ids, skip_special_tokens=False), "skipped": tokenizer.decode(ids)}
                file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(sys.argv[2])
    else:
        record(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 0)
