#!/usr/bin/env python3
"""Records small Parquet files, and the same rows as JSON lines, for ParquetTests.

Run by hand, with pyarrow installed (pip install pyarrow):

    python3 Tests/DatasetsTests/Fixtures/record-parquet.py          writes the fixtures beside this file
    python3 Tests/DatasetsTests/Fixtures/record-parquet.py FOLDER   writes every codec, page version and encoding into a folder, which
                                                                    the tests read where RTO_PARQUET_FOLDER names it

Schemas: HuggingFaceH4/ultrafeedback_binarized (splits *_prefs and *_sft) and weqweasdas/ultra_train, and one of many types.
"""
import datetime
import decimal
import json
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).resolve().parent

MESSAGES = pa.list_(pa.struct([("content", pa.string()), ("role", pa.string())]))
ULTRAFEEDBACK = pa.schema([
    ("prompt", pa.string()), ("prompt_id", pa.string()), ("chosen", MESSAGES), ("rejected", MESSAGES),
    ("messages", MESSAGES), ("score_chosen", pa.float64()), ("score_rejected", pa.float64()),
])
ULTRA_TRAIN = pa.schema([("context_messages", MESSAGES)])

TEXTS = [
    "How do I boil an egg?", "Übersetze „guten Morgen“ ins Französische.", "Write a haiku about rain.\n\nNo rhymes.", "2+2?",
    "Résumé in two lines, please 🙂", "Say \"no\" politely.\tThanks.", "List three colours", "Why is the sky blue?",
]


def said(role, content):
    return {"content": content, "role": role}


def ultrafeedback(count):
    for number in range(count):
        prompt = TEXTS[number % len(TEXTS)] + (f" ({number})" if number >= len(TEXTS) else "")
        turns = [said("user", prompt)]
        if number % 3 == 1:
            turns += [said("assistant", "Which one?"), said("user", "The second.")]
        good = turns + [said("assistant", f"A good answer, number {number}: " + "well " * (number % 5))]
        bad = turns + [said("assistant", f"no {number}")]
        yield {
            "prompt": prompt, "prompt_id": f"{number * 7919:064x}", "chosen": good, "rejected": bad, "messages": good,
            "score_chosen": 8.0 - number % 3 / 2, "score_rejected": 3.5,
        }


def ultra_train(count):
    for row in ultrafeedback(count):
        yield {"context_messages": row["chosen"][:-1]}


def types():
    """Two rows of every type that a row can hold: values, and nulls."""
    columns = {
        "null": pa.array([None, None]),
        "bool": pa.array([True, None]),
        "int8": pa.array([-8, None], pa.int8()), "uint8": pa.array([200, None], pa.uint8()),
        "int16": pa.array([-16, None], pa.int16()), "uint16": pa.array([60000, None], pa.uint16()),
        "int32": pa.array([-32, None], pa.int32()), "uint32": pa.array([4000000000, None], pa.uint32()),
        "int64": pa.array([-(2**60), None], pa.int64()), "uint64": pa.array([2**63 + 2**20, None], pa.uint64()),
        "half": pa.array([-1.5, None], pa.float16()), "float": pa.array([0.25, None], pa.float32()),
        "double": pa.array([1e300, None], pa.float64()),
        "text": pa.array(["é🙂", None]), "large_text": pa.array(["large", None], pa.large_string()),
        "view": pa.array(["a text of more than twelve bytes", None], pa.string_view()),
        "short_view": pa.array(["short", None], pa.string_view()),
        "bytes": pa.array(["bytes".encode(), None], pa.binary()),
        "dictionary": pa.array(["word", None]).dictionary_encode(),
        "date": pa.array([datetime.date(1969, 12, 31), None], pa.date32()),
        "seconds": pa.array([datetime.datetime(2024, 2, 29, 23, 59, 59), None], pa.timestamp("s")),
        "microseconds": pa.array([datetime.datetime(1899, 1, 1, 0, 0, 0, 5), None], pa.timestamp("us", "UTC")),
        "decimal": pa.array([decimal.Decimal("-12.50"), None], pa.decimal128(9, 2)),
        "whole": pa.array([decimal.Decimal("12"), None], pa.decimal128(20, 0)),
        "list": pa.array([[1, None, 3], None], pa.list_(pa.int64())),
        "large_list": pa.array([["x"], None], pa.large_list(pa.string())),
        # No null: Arrow before version 26 cannot read one.
        "fixed_list": pa.array([[1, 2], [3, 4]], pa.list_(pa.int32(), 2)),
        "empty": pa.array([[], None], pa.list_(pa.string())),
        "struct": pa.array([{"a": 1, "b": None}, None], pa.struct([("a", pa.int64()), ("b", pa.string())])),
        "map": pa.array([[("k", 1), ("l", None)], None], pa.map_(pa.string(), pa.int64())),
    }
    expected = {
        "null": None, "bool": True, "int8": -8, "uint8": 200, "int16": -16, "uint16": 60000, "int32": -32,
        "uint32": 4000000000, "int64": -(2**60), "uint64": float(2**63 + 2**20), "half": -1.5, "float": 0.25,
        "double": 1e300, "text": "é🙂", "large_text": "large", "view": "a text of more than twelve bytes",
        "short_view": "short", "bytes": "bytes", "dictionary": "word", "date": "1969-12-31",
        "seconds": "2024-02-29T23:59:59", "microseconds": "1899-01-01T00:00:00.000005Z", "decimal": -12.5, "whole": 12,
        "list": [1, None, 3], "large_list": ["x"], "fixed_list": [1, 2], "empty": [], "struct": {"a": 1, "b": None},
        "map": {"k": 1, "l": None},
    }
    return pa.table(columns), [expected, {name: None for name in expected} | {"fixed_list": [3, 4]}]


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def fixtures():
    # An old page, dictionaries and one group; a new page, plain values and groups of two rows.
    pq.write_table(pa.Table.from_pylist(list(ultrafeedback(6)), ULTRAFEEDBACK), HERE / "ultrafeedback.parquet")
    write_lines(HERE / "ultrafeedback.jsonl", ultrafeedback(6))
    pq.write_table(
        pa.Table.from_pylist(list(ultra_train(5)), ULTRA_TRAIN), HERE / "ultra_train.parquet", compression="zstd",
        use_dictionary=False, data_page_version="2.0", row_group_size=2,
    )
    write_lines(HERE / "ultra_train.jsonl", ultra_train(5))
    pq.write_table(ULTRA_TRAIN.empty_table(), HERE / "none.parquet")
    table, rows = types()
    pq.write_table(table, HERE / "types.parquet", compression="none")
    write_lines(HERE / "types.jsonl", rows)
    pq.write_table(
        pa.table({"prompt": ["x"], "spent": pa.array([1], pa.duration("s"))}), HERE / "duration.parquet",
        compression="none",
    )
    # Columns that no row can hold, beside one that is wanted.
    pq.write_table(
        pa.table({
            "prompt": ["x", "y"],
            "image": pa.array([{"bytes": b"text", "path": "a.png"}, {"bytes": b"\x89PNG\xff", "path": "b.png"}]),
            "id": pa.array([bytes(16), bytes(16)], pa.binary(16)),
            "turns": pa.array([[{"when": 1}], []], pa.list_(pa.struct([("when", pa.duration("s"))]))),
        }),
        HERE / "unreadable.parquet", compression="none",
    )
    # Small in the file, since every text of a column is the same, and large in memory.
    count, text = 600, "The same long answer. " * 4500
    pq.write_table(
        pa.table({
            "prompt": ["x"] * count, "completion": [text] * count,
            "source": pa.array([text + str(number % 2) for number in range(count)]).dictionary_encode(),
        }),
        HERE / "repeated.parquet", compression="zstd",
    )


def matrix(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, make, schema in [("pairs", ultrafeedback, ULTRAFEEDBACK), ("prompts", ultra_train, ULTRA_TRAIN)]:
        rows = list(make(500))
        write_lines(folder / f"{name}.jsonl", rows)
        table = pa.Table.from_pylist(rows, schema)
        large = table.cast(pa.schema([(f.name, large_type(f.type)) for f in schema]))
        for codec in ["none", "snappy", "gzip", "brotli", "lz4", "zstd"]:
            for page in ["1.0", "2.0"]:
                for dictionary in [True, False]:
                    for group in [7, 500]:
                        path = folder / f"{name}-{codec}-{page[0]}-{'dictionary' if dictionary else 'plain'}-{group}.parquet"
                        pq.write_table(
                            table, path, compression=codec, data_page_version=page, use_dictionary=dictionary,
                            row_group_size=group, data_page_size=512,
                        )
        pq.write_table(large, folder / f"{name}-large.parquet")
        pq.write_table(table, folder / f"{name}-unnamed-schema.parquet", store_schema=False)


def large_type(kind):
    if pa.types.is_string(kind):
        return pa.large_string()
    if pa.types.is_list(kind):
        return pa.large_list(large_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, large_type(field.type)) for field in kind])
    return kind


if len(sys.argv) > 1:
    matrix(pathlib.Path(sys.argv[1]))
else:
    fixtures()
