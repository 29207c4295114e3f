"""Quantizing with llama.cpp's own quantizer, and saying what really came out.

llama.cpp falls back to other types where a tensor's rows do not divide into the blocks of the one
asked for, and says so only in its log: the written file is read back instead.
"""

from __future__ import annotations

import ctypes
import os
from collections import Counter
from pathlib import Path

import llama_cpp

from tooldrill.agent.atomic import atomic_path
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.hashing import sha256_file
from tooldrill.export.disk import require_space
from tooldrill.export.records import Fallback, GgufFile
from tooldrill.export.settings import Quantization
from tooldrill.training.gguf_header import TensorEntry, read_gguf_header

MAX_THREADS = 4

_FILE_TYPES: dict[Quantization, int] = {
    "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
    "Q4_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
}
# Types that a matrix may have when nothing falls back. Q4_K_M is a mixture by design.
_NOMINAL: dict[Quantization, frozenset[str]] = {
    "F16": frozenset({"F16"}),
    "Q8_0": frozenset({"Q8_0"}),
    "Q4_K_M": frozenset({"Q4_K", "Q5_K", "Q6_K"}),
}


def quantize(source: Path, target: Path, quantization: Quantization) -> None:
    """Writes a quantized copy of an F16 GGUF; `target` appears whole or not at all.

    Raises:
        TooldrillError: when the source cannot be read or the quantizer fails.
    """
    header = read_gguf_header(source)
    require_space(target, sum(t.bytes for t in header.tensors))
    # Loading the vocabulary silences llama.cpp's log and starts its backend.
    GgufModel(source, vocabulary_only=True).close()
    params = llama_cpp.llama_model_quantize_default_params()
    params.nthread = min(MAX_THREADS, os.cpu_count() or 1)
    params.ftype = _FILE_TYPES[quantization]
    with atomic_path(target) as temporary:
        status = llama_cpp.llama_model_quantize(
            str(source).encode(), str(temporary).encode(), ctypes.byref(params)
        )
        if status != 0 or not temporary.is_file():
            raise TooldrillError(
                f"llama.cpp could not quantize {source.name} to {quantization}",
                "check the free space, or leave it out: export.quantizations='[F16]'",
            )
        read_gguf_header(temporary)


def describe(path: Path, quantization: Quantization) -> GgufFile:
    """Size, real bits per weight and fallbacks of a GGUF file.

    Raises:
        TooldrillError: when it is not a whole GGUF.
    """
    tensors = read_gguf_header(path).tensors
    parameters = sum(t.parameters for t in tensors)
    types: Counter[str] = Counter()
    for tensor in tensors:
        types[tensor.type] += tensor.parameters
    return GgufFile(
        quantization=quantization,
        file=path.name,
        bytes=path.stat().st_size,
        sha256=sha256_file(path),
        parameters=parameters,
        bits_per_weight=8 * sum(t.bytes for t in tensors) / parameters,
        types=dict(types.most_common()),
        fallbacks=_fallbacks(tensors, quantization, parameters),
    )


def _fallbacks(
    tensors: tuple[TensorEntry, ...], quantization: Quantization, parameters: int
) -> list[Fallback]:
    groups: dict[str, list[TensorEntry]] = {}
    for tensor in tensors:
        # F32 is what llama.cpp's kernels ask for (short convolutions, say), no fallback.
        if len(tensor.shape) >= 2 and tensor.type not in {"F32", *_NOMINAL[quantization]}:
            groups.setdefault(tensor.type, []).append(tensor)
    return [
        Fallback(
            type=kind,
            tensors=len(group),
            share=sum(t.parameters for t in group) / parameters,
            names=sorted({t.name.removesuffix(".weight").split(".")[-1] for t in group}),
        )
        for kind, group in sorted(groups.items())
    ]
