"""What training holds until its gradient is computed, in bytes: the one formula for it.

Counted with PyTorch's saved-tensor hooks on four layers of the real widths of eight models, LoRA on
all linear layers: `kept_numbers` is within 12% for dense decoders; layers that carry a state keep
up to twice as much. The process's peak was measured on SmolLM2-135M with packs of 1,051 to 3,804
tokens, in float32 and bfloat16, with checkpointing and without (see `docs/training.md`); on a GPU
nothing was measured: assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass

# Of the memory that is free after loading the model; the rest is for the optimizer and for others.
ROOM = 0.5
# More tokens at once gain nothing in speed.
MOST_TOKENS = 8192
# Copies that eager attention keeps of each score; counted as above: 1.0 in gpt-oss, 2.0 in Gemma 2.
EAGER_COPIES = 2
# What a layer that carries a state keeps, of what one of attention does.
CARRYING = 2
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
# Learned ones among the tokens that are left when shared prefixes are computed once.
LEARNED_SHARE = 0.28


@dataclass(frozen=True)
class Decoder:
    """A decoder's widths, as far as activations depend on them.

    Attributes:
        hidden: numbers of a token between layers; queries, keys: of all query heads, of all key
            heads; inner: in the MLP.
        vocabulary: tokens that the head scores.
        carrying: how many of the layers carry a state from token to token.
    """

    layers: int
    hidden: int
    queries: int
    keys: int
    inner: int
    vocabulary: int = 0
    carrying: int = 0

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Of a layer's tensors."""
        return self.hidden, self.queries, self.keys, self.inner


@dataclass(frozen=True)
class Computing:
    """How a model is computed.

    Attributes:
        gpu: not on a processor; half: under autocast, in 16 bits.
        plain: plain LoRA over layers that are not quantized, see `engine.fused_lora`.
    """

    gpu: bool
    half: bool
    plain: bool = True

    @property
    def fused(self) -> bool:
        """Norms and MLPs in one step (`engine.fused_norm`, `engine.fused_mlp`)."""
        return self.plain and not self.gpu and not self.half

    @property
    def number(self) -> float:
        """Bytes of a number that is kept."""
        return AUTOCAST if self.half else FLOAT32


def activation_bytes(
    decoder: Decoder, computing: Computing, tokens: float, *, checkpointing: bool, scores: int = 0
) -> float:
    """Bytes at the peak of a step over a pack of this many tokens, logits included.

    Args:
        checkpointing: only the layers' inputs are kept, and one layer's worth is recomputed.
        scores: of a token in a layer's eager attention, all heads together; 0 for other kernels.
    """
    layer = kept_numbers(decoder, fused=computing.fused) + EAGER_COPIES * scores
    if checkpointing:
        kept = decoder.hidden * decoder.layers + layer * (CARRYING if decoder.carrying else 1)
    else:
        kept = layer * (decoder.layers + (CARRYING - 1) * decoder.carrying)
    token = computing.number * kept
    if computing.gpu:
        logits = LEARNED_SHARE * LOGIT_BYTES * min(decoder.vocabulary, KERNEL_VOCABULARY)
        return tokens * (PEAK_ON_GPU * token + logits)
    return tokens * token + gap_bytes(decoder, tokens)


def tokens_held(
    room: float, decoder: Decoder, computing: Computing, *, checkpointing: bool, scores: int = 0
) -> int:
    """How many tokens' activations this many bytes hold, each of them among small tensors."""
    each = activation_bytes(decoder, computing, 1, checkpointing=checkpointing, scores=scores)
    return int(room / each)


def kept_numbers(decoder: Decoder, *, fused: bool) -> float:
    """Numbers that one layer of attention keeps of one token.

    Args:
        fused: as on a processor in float32: norms keep what they give (`engine.fused_norm`), MLPs
            two tensors of four (`engine.fused_mlp`).
    """
    if fused:
        return 2 * sum(decoder.widths)
    hidden, queries, keys, inner = decoder.widths
    return 3.5 * hidden + 3.5 * queries + 2 * keys + 4 * inner


def gap_bytes(decoder: Decoder, tokens: float) -> float:
    """Bytes that a processor's heap takes beyond what is kept."""
    heaped = sum(width for width in decoder.widths if FLOAT32 * width * tokens < LARGEST_IN_HEAP)
    return GAPS_ON_CPU * FLOAT32 * 2 * heaped * decoder.layers * tokens
