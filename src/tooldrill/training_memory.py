"""Bytes that one process of training takes at its peak, from the model's shape.

A frozen base, an adapter with its gradients and Adam's two moments in float32, and what a forward
pass of the largest pack keeps (`training.activations`). On a GPU the base lies in bfloat16, with
QLoRA in NF4 except its embeddings. Held against measured peaks on a CPU with SmolLM2-135M only;
expect a third more or less elsewhere.
"""

from __future__ import annotations

from typing import Literal

from tooldrill.machine import this_machine
from tooldrill.model_shape import ModelShape
from tooldrill.training.activations import Computing, activation_bytes
from tooldrill.training.settings import TrainingSettings

# How the base is held. On a processor: in float32, computing in it or under autocast, or in four
# bits; on a GPU: in bfloat16, in float32 where it has no bfloat16 (wide), or in four bits.
Weights = Literal["float32", "autocast", "nf4_cpu", "bfloat16", "wide", "nf4"]

# Python, torch, libraries and the chunk of logits; on a GPU its driver's context and workspaces.
PROCESS, CONTEXT = 0.7e9, 1.0e9
# Per weight of a linear layer and of the embeddings. Autocast keeps a rounded copy of each matrix
# for the way back. NF4 with double quantization
# takes 4.13 bits (arXiv:2305.14314), and PEFT keeps what is not quantized in float32.
_BYTES = {
    "float32": (4.0, 4.0),
    "autocast": (6.0, 4.0),
    "nf4_cpu": (4.13 / 8, 4.0),
    "bfloat16": (2.0, 2.0),
    "wide": (4.0, 4.0),
    "nf4": (4.13 / 8, 4.0),
}
# Weight, gradient and two moments.
_ADAPTER_BYTES = 16


def base_weights(settings: TrainingSettings) -> Weights:
    """How training will hold the base, where the probe is not asked."""
    device = settings.hardware.device or ("cuda" if this_machine().gpus else "cpu")
    dtype = settings.hardware.dtype
    four = settings.quantization.enabled
    if not device.startswith("cuda"):
        plain: Weights = "autocast" if dtype == "bfloat16" else "float32"
        return "nf4_cpu" if four else plain
    if four:
        return "nf4"
    return "bfloat16" if dtype in (None, "bfloat16") else "wide"


def on_gpu(weights: Weights) -> bool:
    """Whether a base held so lies in a GPU's memory."""
    return weights in ("bfloat16", "wide", "nf4")


def computing(settings: TrainingSettings, weights: Weights) -> Computing:
    """How a base held so is computed."""
    dtype = settings.hardware.dtype
    on_its_own = "float32" if weights in ("float32", "nf4_cpu", "wide") else "bfloat16"
    half = (dtype or on_its_own) != "float32"
    return Computing(on_gpu(weights), half, settings.has_plain_lora)


def base_bytes(shape: ModelShape, weights: Weights) -> float:
    """Of the frozen base."""
    linear, embedded = _BYTES[weights]
    return linear * (shape.parameters - shape.embeddings) + embedded * shape.embeddings


def training_memory(
    shape: ModelShape,
    settings: TrainingSettings,
    weights: Weights,
    tokens: float,
    *,
    checkpointing: bool,
    scores: int = 0,
) -> float:
    """Peak bytes of one process, of the GPU where the base lies there.

    Args:
        tokens: of the largest pack; scores: see `activation_bytes`.
    """
    adapter = _ADAPTER_BYTES * adapter_weights(shape, settings.lora.rank)
    activations = activation_bytes(
        shape.decoder, computing(settings, weights), tokens,
        checkpointing=checkpointing, scores=scores,
    )  # fmt: skip
    process = CONTEXT if on_gpu(weights) else PROCESS
    return process + base_bytes(shape, weights) + adapter + activations


def least_memory(shape: ModelShape, settings: TrainingSettings, weights: Weights) -> float:
    """What the smallest machine must have: one longest example at once, nothing kept needlessly.

    Where a pair's prompt is not computed once, that is both of its rows.
    """
    rows = 2 if shape.shares is False and settings.dpo.enabled else 1
    longest = settings.max_length
    return training_memory(
        shape, settings, weights, rows * longest,
        checkpointing=True, scores=longest * shape.scored_heads,
    )  # fmt: skip


def adapter_weights(shape: ModelShape, rank: int) -> int:
    """A rank's row and column for each linear layer: queries, keys, values, output and the MLP."""
    hidden, queries, keys, inner = shape.decoder.widths
    attention = 2 * (hidden + queries) + 2 * (hidden + keys)
    return rank * shape.decoder.layers * (attention + 3 * (hidden + inner))
