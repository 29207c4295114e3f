"""What training holds until its gradient is computed, in bytes.

Counted with PyTorch's saved-tensor hooks on four layers of the real widths of eight models, LoRA on
all linear layers: `kept_numbers` is within 12% for dense decoders; layers that are recurrent keep
up to twice as much. The process's peak was measured on SmolLM2-135M with packs of 1,051 to 3,804
tokens, in float32 and bfloat16, with checkpointing and without (see `docs/training.md`); on a GPU
nothing was measured: assumptions.
"""

from __future__ import annotations

from collections.abc import Sequence

ACTIVATIONS = 34  # per layer and hidden unit, where no more is known of a model than these
# Of the memory that is free after loading the model; the rest is for the optimizer, logits, others.
ROOM = 0.5
# More tokens at once gain nothing in speed.
MOST_TOKENS = 8192
# Copies that eager attention keeps of each score; counted as above: 1.0 in gpt-oss, 2.0 in Gemma 2.
EAGER_COPIES = 2
# A GPU's peak over what is kept: the backward pass's own tensors, and the allocator's gaps.
PEAK_ON_GPU = 1.25
# What glibc's gaps add on a CPU, as a share of what fused layers keep in all. They are about the
# same when less is kept (checkpointing) and when more is (no fusing): they lie between tensors that
# come and go. Tensors of 32 MiB and more have pages of their own and leave none. Were it so for all
# (MALLOC_MMAP_THRESHOLD_) the share would be 0.03, and a step take a third longer.
GAPS_ON_CPU, LARGEST_IN_HEAP = 0.7, 2**25
# Bytes of a kept number; under autocast norms and the adapter's inputs stay in float32.
FLOAT32, AUTOCAST = 4.0, 2.7
# Copies of the logits of a learned token in float32: values, probabilities, gradients. A processor
# scores a few hundred tokens at a time (`engine.head_scores`), which is a constant.
LOGIT_BYTES = 20
# On CUDA the head is TRL's kernel, which holds a part of the vocabulary at a time.
KERNEL_VOCABULARY = 32_768


def activation_bytes(
    layers: int, hidden: int, number_bytes: int, *, checkpointing: bool, scores: int = 0
) -> float:
    """Bytes per token, of a model of which only these are known; logits included.

    Args:
        number_bytes: 4 for float32, 2 for the 16-bit types.
        checkpointing: only the layers' inputs are kept, and one layer's worth is recomputed.
        scores: of a token in a layer's eager attention, all heads together; 0 for other kernels.
    """
    layer = number_bytes * (ACTIVATIONS * hidden + EAGER_COPIES * scores)
    if checkpointing:
        return number_bytes * hidden * layers + layer
    return layer * layers


def kept_numbers(hidden: int, queries: int, keys: int, inner: int, *, fused: bool) -> float:
    """Numbers that one layer keeps of one token.

    Args:
        queries, keys: widths of all query and all key heads; inner: of the MLP.
        fused: as on a processor in float32: norms keep what they give (`engine.fused_norm`), MLPs
            two tensors of four (`engine.fused_mlp`).
    """
    if fused:
        return 2 * (hidden + queries + keys + inner)
    return 3.5 * hidden + 3.5 * queries + 2 * keys + 4 * inner


def logit_bytes_on_gpu(vocabulary: int) -> float:
    """Bytes per learned token."""
    return LOGIT_BYTES * min(vocabulary, KERNEL_VOCABULARY)


def gap_bytes(widths: Sequence[int], layers: int, tokens: float) -> float:
    """Bytes that a processor's heap takes beyond what is kept.

    Args:
        widths: of a layer's tensors: hidden, all query heads, all key heads, the MLP.
    """
    heaped = sum(width for width in widths if FLOAT32 * width * tokens < LARGEST_IN_HEAP)
    return GAPS_ON_CPU * FLOAT32 * 2 * heaped * layers * tokens
