"""What training holds until its gradient is computed, in bytes.

Counted with PyTorch's saved-tensor hooks on four layers of the real widths of eight models, LoRA on
all linear layers: `kept_numbers` is within 12% for dense decoders; layers that are recurrent keep
up to twice as much. What a process takes beyond that was measured on SmolLM2-135M in float32 on two
cores (5.5 GiB with packs of up to 3,072 tokens); on a GPU nothing was measured: assumptions.
"""

from __future__ import annotations

ACTIVATIONS = 34  # per layer and hidden unit, where no more is known of a model than these
# The process's peak over what is kept: the backward pass's own tensors, and the allocator's gaps.
PEAK_ON_CPU, PEAK_ON_GPU = 1.4, 1.25
# Bytes of a kept number; under autocast norms and the adapter's inputs stay in float32.
FLOAT32, AUTOCAST = 4.0, 2.7
# Copies of the logits of a learned token in float32: values, probabilities, gradients.
LOGIT_BYTES = 20
# On CUDA the head is TRL's kernel, which holds a part of the vocabulary at a time.
KERNEL_VOCABULARY = 32_768


def activation_bytes(layers: int, hidden: int, number_bytes: int, *, checkpointing: bool) -> float:
    """Bytes per token, of a model of which only these are known; logits included.

    Args:
        number_bytes: 4 for float32, 2 for the 16-bit types.
        checkpointing: only the layers' inputs are kept, and one layer's worth is recomputed.
    """
    layer = number_bytes * ACTIVATIONS * hidden
    if checkpointing:
        return number_bytes * hidden * layers + layer
    return layer * layers


def kept_numbers(hidden: int, queries: int, keys: int, inner: int, *, gpu: bool) -> float:
    """Numbers that one layer keeps of one token.

    Args:
        queries, keys: widths of all query and all key heads; inner: of the MLP, of which a
            processor keeps two tensors (`engine.fused_mlp`) and a GPU four.
    """
    return 3.5 * hidden + 3.5 * queries + 2 * keys + (4 if gpu else 2) * inner


def logit_bytes(vocabulary: int, *, gpu: bool) -> float:
    """Bytes per learned token."""
    return LOGIT_BYTES * (min(vocabulary, KERNEL_VOCABULARY) if gpu else vocabulary)
