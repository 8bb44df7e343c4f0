#!/usr/bin/env python3
"""Writes families.json: what transformers computes for tiny models of every family.

Run by hand, with torch and transformers installed, when a family is added:

    python3 Tests/Families/record-families.py

Weights are not recorded: both sides draw them from the same linear congruential generator, in the order of their names.
"""
import json
import pathlib

import torch
import transformers

SHARED = dict(
    vocab_size=24, hidden_size=16, intermediate_size=20, num_hidden_layers=3, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=64, initializer_range=0.3, bos_token_id=1, eos_token_id=2,
    pad_token_id=0,
)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=16)
GEMMA = dict(head_dim=6, query_pre_attn_scalar=5, sliding_window=5)
FAMILIES = {
    "llama_biases": ("Llama", dict(attention_bias=True, mlp_bias=True)),
    "mistral": ("Mistral", dict(sliding_window=5, head_dim=6)),
    "qwen2_windows": ("Qwen2", dict(use_sliding_window=True, sliding_window=5, max_window_layers=1)),
    "qwen2_yarn": ("Qwen2", dict(rope_parameters=YARN, use_sliding_window=False)),
    "qwen3": ("Qwen3", dict(head_dim=6)),
    "gemma": ("Gemma", dict(head_dim=6)),
    "gemma2": ("Gemma2", dict(GEMMA, attn_logit_softcapping=4.0, final_logit_softcapping=3.0)),
    "gemma3": ("Gemma3Text", dict(GEMMA, layer_types=["sliding_attention", "full_attention", "sliding_attention"])),
    "phi3": ("Phi3", dict(sliding_window=5)),
    "phi3_partial_rotary": ("Phi3", dict(rope_parameters=dict(
        rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5))),
    "granite": ("Granite", dict(
        embedding_multiplier=3.0, residual_multiplier=0.4, attention_multiplier=0.3, logits_scaling=2.5,
        tie_word_embeddings=True)),
    "olmo2": ("Olmo2", dict()),
    "smollm3": ("SmolLM3", dict(no_rope_layer_interval=2)),
}


def fill(model, is_gemma):
    """Numbers in [-0.5, 0.5) in the order of the names; norms have factors around one."""
    state = 1
    for name, parameter in sorted(model.named_parameters()):
        values = []
        for _ in range(parameter.numel()):
            state = (state * 1664525 + 1013904223) % 2**32
            values.append(state / 2**32 - 0.5)
        shift = 1.0 if "norm" in name and not is_gemma else 0.0
        with torch.no_grad():
            parameter.copy_((torch.tensor(values, dtype=torch.float64) + shift).reshape(parameter.shape))


def record(name, family, changes):
    configuration = getattr(transformers, family + "Config")(**{**SHARED, **changes})
    configuration._attn_implementation = "eager"
    prefix = "Gemma3" if family == "Gemma3Text" else family
    model = getattr(transformers, prefix + "ForCausalLM")(configuration).float().eval()
    fill(model, family.startswith("Gemma"))
    ids = torch.tensor([[(7 * i * i + 3 * i + 1) % 24 for i in range(19)]])
    outputs = model(ids, labels=ids)
    outputs.loss.backward()
    members = json.loads(configuration.to_json_string())
    members["architectures"] = [prefix + "ForCausalLM"]
    members.pop("_attn_implementation", None)
    return {
        "name": name,
        "config": members,
        "ids": ids[0].tolist(),
        "logits": [round(x, 5) for x in outputs.logits[0].flatten().tolist()],
        "loss": outputs.loss.item(),
        "gradients": {n: p.grad.norm().item() for n, p in sorted(model.named_parameters())},
    }


def main():
    records = [record(name, *of) for name, of in FAMILIES.items()]
    place = pathlib.Path(__file__).with_name("families.json")
    place.write_text("[\n" + ",\n".join(json.dumps(r) for r in records) + "\n]\n")


if __name__ == "__main__":
    main()
