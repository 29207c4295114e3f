"""Bytes that one process of training takes at its peak, from the model's shape.

A frozen base, an adapter with its gradients and Adam's two moments in float32, and what a forward
pass keeps. On a GPU the base lies in bfloat16, with QLoRA in NF4 except its embeddings.
Measured on a CPU with SmolLM2-135M only; expect a third more or less elsewhere.
"""

from __future__ import annotations

from typing import Literal

from tooldrill.model_shape import ModelShape
from tooldrill.training.activations import (
    AUTOCAST,
    FLOAT32,
    PEAK_ON_CPU,
    PEAK_ON_GPU,
    kept_numbers,
    logit_bytes,
)
from tooldrill.training.settings import TrainingSettings

Weights = Literal["float32", "bfloat16", "nf4"]

# Python, torch and libraries; on a GPU its driver's context and workspaces instead.
PROCESS, CONTEXT = 0.9e9, 1.0e9
# Per weight of a linear layer and of the embeddings. NF4 with double quantization takes 4.13 bits
# (arXiv:2305.14314), and PEFT keeps what is not quantized in float32.
_BYTES = {"float32": (4.0, 4.0), "bfloat16": (2.0, 2.0), "nf4": (4.13 / 8, 4.0)}
# Weight, gradient and two moments.
_ADAPTER_BYTES = 16
# Learned ones among the tokens that are left when shared prefixes are computed once.
LEARNED_SHARE = 0.28


def training_memory(
    shape: ModelShape, weights: Weights, rank: int, tokens: float, *, checkpointing: bool
) -> float:
    """Peak bytes of one process, on the GPU where the weights are not float32.

    Args:
        weights: how the base is held: float32 on a CPU, the others on a GPU.
        rank: of the adapter, on all linear layers.
        tokens: computed at once.
    """
    gpu = weights != "float32"
    linear, embedded = _BYTES[weights]
    held = linear * (shape.parameters - shape.embeddings) + embedded * shape.embeddings
    adapter = _ADAPTER_BYTES * adapter_weights(shape, rank)
    number, peak = (AUTOCAST, PEAK_ON_GPU) if gpu else (FLOAT32, PEAK_ON_CPU)
    widths = (shape.hidden, shape.queries, shape.kv_width, shape.inner)
    layer = number * kept_numbers(*widths, gpu=gpu)
    inputs = number * shape.hidden * shape.layers
    token = inputs + layer if checkpointing else layer * shape.layers
    token = peak * token + LEARNED_SHARE * logit_bytes(shape.vocabulary, gpu=gpu)
    return (CONTEXT if gpu else PROCESS) + held + adapter + tokens * token


def least_memory(shape: ModelShape, settings: TrainingSettings, weights: Weights) -> float:
    """What the smallest machine must have: one longest example at once, nothing kept needlessly."""
    rank, longest = settings.lora.rank, settings.max_length
    return training_memory(shape, weights, rank, longest, checkpointing=True)


def adapter_weights(shape: ModelShape, rank: int) -> int:
    """A rank's row and column for each linear layer: queries, keys, values, output and the MLP."""
    attention = 2 * (shape.hidden + shape.queries) + 2 * (shape.hidden + shape.kv_width)
    return rank * shape.layers * (attention + 3 * (shape.hidden + shape.inner))
