"""What llama.cpp makes of a tensor in each quantization: by design, and where rows do not fit.

Its quantizer decides; this tells beforehand how large a file becomes, and afterwards why a tensor
got another type. Blocks are 32 weights, those of K-quants and IQ4_XS 256, and a block never goes
beyond a row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

from tooldrill.export.settings import Quantization

SMALL_BLOCK, LARGE_BLOCK = 32, 256
# What takes the place of a type whose blocks are longer than a row.
_INSTEAD = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0", "IQ4_XS": "IQ4_NL"}
# The embeddings that are the output layer, too, and in mixtures what is told to matter most; by
# GGUF's names and by transformers'.
_BETTER = frozenset({
    "token_embd", "output", "attn_v", "attn_qkv", "ffn_down",
    "embed_tokens", "lm_head", "v_proj", "qkv_proj", "down_proj", "output_linear",
})  # fmt: skip


@dataclass(frozen=True)
class Types:
    """Types of a quantization's matrices.

    Attributes:
        usual: of most; better: of some, the larger one.
        all: every type that is no fallback.
    """

    usual: str
    better: str
    all: frozenset[str]


def _of(usual: str, *others: str) -> Types:
    return Types(usual, others[-1] if others else usual, frozenset({usual, *others}))


TYPES: dict[Quantization, Types] = {
    "F16": _of("F16"),
    "BF16": _of("BF16"),
    "Q8_0": _of("Q8_0"),
    "Q6_K": _of("Q6_K"),
    "Q5_K_M": _of("Q5_K", "Q6_K"),
    "Q4_K_M": _of("Q4_K", "Q5_K", "Q6_K"),
    "Q4_0": _of("Q4_0", "Q6_K"),
    "IQ4_XS": _of("IQ4_XS", "Q5_K", "Q6_K"),
}


def file_size(tensors: Sequence[tuple[str, Sequence[int]]], quantization: Quantization) -> int:
    """Bytes that the tensors of a file take at most.

    Args:
        tensors: names, GGUF's or transformers', and shapes, the length of a row last.
    """
    types = TYPES[quantization]
    total = 0
    for name, shape in tensors:
        kind = "F32" if len(shape) < 2 else types.usual
        if len(shape) >= 2 and name.removesuffix(".weight").rpartition(".")[2] in _BETTER:
            kind = types.better
        total += _bytes(kind, shape)
    return total


def why_other(kind: str, row: int) -> str:
    """Why a matrix with rows of this length got a type that is not its quantization's.

    Args:
        kind: the type that it got.
    """
    if row % SMALL_BLOCK:
        return f"rows of {row} are no multiple of {SMALL_BLOCK}"
    if row % LARGE_BLOCK:
        return f"rows of {row} are no multiple of {LARGE_BLOCK}"
    return f"llama.cpp keeps it in {kind}"


def _bytes(kind: str, shape: Sequence[int]) -> int:
    block, size = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
    if shape[-1] % block:
        return _bytes(_INSTEAD.get(kind, "F16"), shape)
    return int(math.prod(shape) // block * size)
