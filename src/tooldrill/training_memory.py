"""Bytes that one process of training takes at its peak, from the model's shape.

A frozen base, an adapter with its gradients and Adam's two moments in float32, and what a forward
pass of the largest pack keeps. On a GPU the base lies in bfloat16, with QLoRA in NF4 except its
embeddings. Held against measured peaks on a CPU with SmolLM2-135M only; expect a third more or less
elsewhere.
"""

from __future__ import annotations

from typing import Literal

from tooldrill.model_shape import ModelShape
from tooldrill.training.activations import (
    AUTOCAST,
    FLOAT32,
    PEAK_ON_GPU,
    gap_bytes,
    kept_numbers,
    logit_bytes_on_gpu,
)
from tooldrill.training.settings import TrainingSettings

# How the base is held: float32 on a processor, autocast there computing in bfloat16; the others on
# a GPU.
Weights = Literal["float32", "autocast", "bfloat16", "nf4"]

# Python, torch, libraries and the chunk of logits; on a GPU its driver's context and workspaces.
PROCESS, CONTEXT = 0.7e9, 1.0e9
# Per weight of a linear layer and of the embeddings. Autocast keeps a rounded copy of each matrix
# for the way back. NF4 with double quantization takes 4.13 bits (arXiv:2305.14314), and PEFT keeps
# what is not quantized in float32.
_BYTES = {
    "float32": (4.0, 4.0),
    "autocast": (6.0, 4.0),
    "bfloat16": (2.0, 2.0),
    "nf4": (4.13 / 8, 4.0),
}
# Weight, gradient and two moments.
_ADAPTER_BYTES = 16
# Learned ones among the tokens that are left when shared prefixes are computed once.
LEARNED_SHARE = 0.28


def on_gpu(weights: Weights) -> bool:
    """Whether a base held so lies in a GPU's memory."""
    return weights in ("bfloat16", "nf4")


def training_memory(
    shape: ModelShape, weights: Weights, rank: int, tokens: float, *, checkpointing: bool
) -> float:
    """Peak bytes of one process, of the GPU where the base lies there.

    Args:
        rank: of the adapter, on all linear layers.
        tokens: of the largest pack.
    """
    gpu = on_gpu(weights)
    linear, embedded = _BYTES[weights]
    held = linear * (shape.parameters - shape.embeddings) + embedded * shape.embeddings
    adapter = _ADAPTER_BYTES * adapter_weights(shape, rank)
    number = FLOAT32 if weights == "float32" else AUTOCAST
    widths = (shape.hidden, shape.queries, shape.kv_width, shape.inner)
    layer = number * kept_numbers(*widths, fused=weights == "float32")
    inputs = number * shape.hidden * shape.layers
    token = inputs + layer if checkpointing else layer * shape.layers
    if gpu:
        token = PEAK_ON_GPU * token + LEARNED_SHARE * logit_bytes_on_gpu(shape.vocabulary)
    else:
        held += gap_bytes(widths, shape.layers, tokens)
    return (CONTEXT if gpu else PROCESS) + held + adapter + tokens * token


def least_memory(shape: ModelShape, settings: TrainingSettings, weights: Weights) -> float:
    """What the smallest machine must have: one longest example at once, nothing kept needlessly."""
    rank, longest = settings.lora.rank, settings.max_length
    return training_memory(shape, weights, rank, longest, checkpointing=True)


def adapter_weights(shape: ModelShape, rank: int) -> int:
    """A rank's row and column for each linear layer: queries, keys, values, output and the MLP."""
    attention = 2 * (shape.hidden + shape.queries) + 2 * (shape.hidden + shape.kv_width)
    return rank * shape.layers * (attention + 3 * (shape.hidden + shape.inner))
