"""What the configs' models publish in their `config.json`, as far as sizes depend on it."""

from __future__ import annotations

from typing import Any

_LINEAR = {
    "linear_num_key_heads": 16, "linear_num_value_heads": 16,
    "linear_key_head_dim": 128, "linear_value_head_dim": 128,
}  # fmt: skip


def _shape(
    kind: str, hidden: int, layers: int, heads: tuple[int, int], inner: int, words: int, **own: Any
) -> dict[str, Any]:
    """A config; `heads` are those of queries and of keys."""
    return {
        "model_type": kind, "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": heads[0], "num_key_value_heads": heads[1],
        "intermediate_size": inner, "vocab_size": words, "tie_word_embeddings": True, **own,
    }  # fmt: skip


def _granite(hidden: int, layers: int, inner: int, head: int) -> dict[str, Any]:
    own = {"shared_intermediate_size": inner, "num_local_experts": 0, "head_dim": head}
    own["layer_types"] = ["attention"] * layers
    return _shape("granitemoehybrid", hidden, layers, (16, 4), inner, 100_352, **own)


# By the name of the config.
MODELS: dict[str, dict[str, Any]] = {
    "smollm2-135m": _shape("llama", 576, 30, (9, 3), 1536, 49_152),
    "smollm2-360m": _shape("llama", 960, 32, (15, 5), 2560, 49_152),
    "smollm2-1.7b": _shape("llama", 2048, 24, (32, 32), 8192, 49_152),
    "qwen3-0.6b": _shape("qwen3", 1024, 28, (16, 8), 3072, 151_936, head_dim=128),
    "qwen3-1.7b": _shape("qwen3", 2048, 28, (16, 8), 6144, 151_936, head_dim=128),
    "qwen3-4b": _shape("qwen3", 2560, 36, (32, 8), 9728, 151_936, head_dim=128),
    "qwen3.5-0.8b": _shape(
        "qwen3_5_text", 1024, 24, (8, 2), 3584, 248_320, head_dim=256, **_LINEAR
    ),
    "qwen3.5-2b": _shape("qwen3_5_text", 2048, 24, (8, 2), 6144, 248_320, head_dim=256, **_LINEAR),
    "qwen3.5-4b": _shape(
        "qwen3_5_text",
        2560,
        32,
        (16, 4),
        9216,
        248_320,
        head_dim=256,
        **{**_LINEAR, "linear_num_value_heads": 32},
    ),
    "llama-3.2-1b": _shape("llama", 2048, 16, (32, 8), 8192, 128_256, head_dim=64),
    "llama-3.2-3b": _shape("llama", 3072, 28, (24, 8), 8192, 128_256, head_dim=128),
    "gemma-3-270m": _shape("gemma3_text", 640, 18, (4, 1), 2048, 262_144, head_dim=256),
    "gemma-3-1b": _shape("gemma3_text", 1152, 26, (4, 1), 6912, 262_144, head_dim=256),
    "lfm2-1.2b": _shape(
        "lfm2", 2048, 16, (32, 8), 12288, 65_536, full_attn_idxs=[2, 5, 8, 10, 12, 14]
    ),
    "granite-4.0-350m": _granite(1024, 28, 2048, 64),
    "granite-4.0-1b": _granite(2048, 40, 4096, 128),
}
