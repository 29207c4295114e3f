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
from tooldrill.agent.engines.gguf_header import TensorEntry, read_gguf_header
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.hashing import sha256_file
from tooldrill.export.disk import require_space
from tooldrill.export.records import Fallback, GgufFile
from tooldrill.export.settings import Quantization
from tooldrill.export.tensor_types import TYPES, file_size, why_other

MAX_THREADS = 4

# Rows are quantized in parts, so that memory stays small whatever the tensor.
_BUFFER = 64 * 2**20
_FILE_TYPES: dict[Quantization, int] = {
    "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
    "Q6_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q6_K,
    "Q5_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_K_M,
    "Q4_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
    "Q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
    "IQ4_XS": llama_cpp.LLAMA_FTYPE_MOSTLY_IQ4_XS,
}


def quantize(source: Path, target: Path, quantization: Quantization) -> None:
    """Writes a quantized copy of an F16 (or BF16) GGUF; `target` appears whole or not at all.

    Raises:
        TooldrillError: when the source cannot be read or the quantizer fails.
    """
    tensors = [(t.name, t.shape[::-1]) for t in read_gguf_header(source).tensors]
    require_space(target, file_size(tensors, quantization))
    # Loading the vocabulary silences llama.cpp's log and starts its backend.
    GgufModel(source, vocabulary_only=True).close()
    params = llama_cpp.llama_model_quantize_default_params()
    params.nthread = min(MAX_THREADS, os.cpu_count() or 1)
    params.ftype = _FILE_TYPES[quantization]
    params.max_buf_size = _BUFFER
    with atomic_path(target) as temporary:
        status = llama_cpp.llama_model_quantize(
            str(source).encode(), str(temporary).encode(), ctypes.byref(params)
        )
        if status != 0 or not temporary.is_file():
            raise TooldrillError(
                f"llama.cpp could not quantize {source.name} to {quantization}",
                "check the free space, or leave it out of export.quantizations",
            )
        # llama.cpp does not notice a disk that is full: what it wrote must be whole.
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
    groups: dict[tuple[str, str], list[TensorEntry]] = {}
    for tensor in tensors:
        # F32 is what llama.cpp's kernels ask for (short convolutions, say), no fallback.
        if len(tensor.shape) >= 2 and tensor.type not in {"F32", *TYPES[quantization].all}:
            reason = why_other(tensor.type, tensor.shape[0])
            groups.setdefault((tensor.type, reason), []).append(tensor)
    return [
        Fallback(
            type=kind,
            tensors=len(group),
            share=sum(t.parameters for t in group) / parameters,
            names=sorted({t.name.removesuffix(".weight").split(".")[-1] for t in group}),
            reason=reason,
        )
        for (kind, reason), group in sorted(groups.items())
    ]
