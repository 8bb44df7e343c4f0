"""What is varied to see how time and memory grow, and what should be a straight line."""
import dataclasses


@dataclasses.dataclass
class Series:
    """Runs of `rto bench` that differ in one size."""

    title: str
    #: What is varied, as the axis says it.
    x: str
    work: str
    values: list
    #: The flags of one point, from its value.
    flags: object


def all_series(shape):
    return [
        Series("scoring: sequences of 256 tokens", "tokens", "score", [512, 1024, 2048, 4096],
               lambda tokens: shape + lengths(tokens // 256, 128, 128)),
        Series("scoring: longer sequences, 2,048 tokens each time (attention grows)", "tokens of a sequence", "score",
               [128, 256, 512, 1024], lambda length: shape + lengths(2048 // length, length // 2, length // 2)),
        Series("SFT step: sequences of 128 tokens", "sequences", "sft", [2, 4, 8, 16],
               lambda batch: shape + lengths(batch, 64, 64)),
        Series("DPO step: pairs of 64 + 64 tokens", "pairs", "dpo", [2, 4, 8, 16],
               lambda batch: shape + lengths(batch, 64, 64)),
        Series("generation: new tokens", "new tokens", "generate", [16, 32, 64, 128],
               lambda new: shape + lengths(8, 64, new)),
        Series("generation: sequences at once", "sequences", "generate", [2, 4, 8, 16],
               lambda batch: shape + lengths(batch, 64, 32)),
        Series("generation: samples of each of 2 prompts", "samples per prompt", "generate", [1, 2, 4, 8],
               lambda samples: shape + lengths(2 * samples, 256, 16) + ["--samples-per-prompt", samples]),
        Series("SFT step: layers of a model", "layers", "sft", [2, 4, 8, 16],
               lambda layers: without_layers(shape) + ["--layers", layers] + lengths(8, 64, 64)),
    ]


def lengths(batch, prompt, new):
    return ["--batch", batch, "--prompt-tokens", prompt, "--new-tokens", new]


def without_layers(shape):
    if "--layers" not in shape:
        return shape
    place = shape.index("--layers")
    return shape[:place] + shape[place + 2:]
