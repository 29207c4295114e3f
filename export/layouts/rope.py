"""Rotary position embeddings as GGUF stores them: base, scaling, factors, order of rows.

Scalings that llama.cpp computes otherwise than transformers are not written: see `SCALINGS`.
"""

from __future__ import annotations

import math
from typing import Any

import gguf
import torch

# Whatever the graph, llama.cpp scales so; `llama3` and `longrope` need factors that not every
# graph reads.
SCALINGS = frozenset({"default", "linear", "yarn"})
# What the graphs compute YaRN with, whatever a file says.
_YARN: dict[str, tuple[Any, ...]] = {
    "attention_factor": (None,), "mscale": (None,), "mscale_all_dim": (None,), "truncate": (True,),
    "beta_fast": (None, 32), "beta_slow": (None, 1),
}  # fmt: skip


def rope_of(config: Any, kind: str = "full_attention") -> dict[str, Any]:
    """The rotary parameters of layers of one kind (Gemma 3 has two sets, others one)."""
    parameters: dict[str, Any] = config.rope_parameters
    found: dict[str, Any] = parameters.get(kind, parameters)
    return found


def rope_type(rope: dict[str, Any]) -> str:
    """The name of the scaling; `default` is none."""
    return str(rope.get("rope_type", "default"))


def write_rope(
    writer: gguf.GGUFWriter, rope: dict[str, Any], dimensions: int, context: int
) -> None:
    """Frequency base and scaling.

    Args:
        dimensions: of a head that are rotated.
        context: positions that the model was trained on, when the scaling does not say.
    """
    writer.add_rope_freq_base(rope["rope_theta"])
    writer.add_rope_dimension_count(dimensions)
    kind = rope_type(rope)
    if kind == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    elif kind == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(
            int(rope.get("original_max_position_embeddings") or context)
        )


def rope_problem(rope: dict[str, Any], scalings: frozenset[str] = SCALINGS) -> str | None:
    """Why llama.cpp cannot rotate so, or None."""
    kind = rope_type(rope)
    if kind not in scalings:
        return f"its rotary scaling is {kind!r}"
    if kind != "yarn":
        return None
    odd = next((key for key, usual in _YARN.items() if rope.get(key, usual[0]) not in usual), None)
    return f"its YaRN scaling sets {odd}" if odd else None


def llama3_factors(rope: dict[str, Any], dimensions: int) -> torch.Tensor:
    """Divisors of the rotary frequencies, one per pair of a head (long contexts of Llama 3.1).

    Short wavelengths keep their frequency, long ones are divided by `factor`, those between are
    interpolated; see "The Llama 3 Herd of Models" and transformers' `rope_type: llama3`.
    """
    trained = rope["original_max_position_embeddings"]
    low, high, factor = rope["low_freq_factor"], rope["high_freq_factor"], rope["factor"]
    exponents = torch.arange(0, dimensions, 2, dtype=torch.float64) / dimensions
    wavelengths = 2 * math.pi * rope["rope_theta"] ** exponents
    smooth = ((trained / wavelengths - low) / (high - low)).clamp(0, 1)
    factors: torch.Tensor = 1 / ((1 - smooth) / factor + smooth)
    return factors.to(torch.float32)


def to_rotary_pairs(weights: torch.Tensor, heads: int) -> torch.Tensor:
    """Reorders the output rows of q or k (weights or bias) for llama.cpp's older graphs.

    transformers rotates row i of a head together with row i + size/2; these graphs rotate
    neighbours. So the two halves of every head are interleaved.
    """
    rest = weights.shape[1:]
    halves = weights.reshape(heads, 2, weights.shape[0] // heads // 2, *rest)
    return halves.transpose(1, 2).reshape(weights.shape)
