"""Tensors of a GGUF file against those it was made from, one in memory at a time.

Which tensor is wrong, once something is; how much it matters is told by logits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType
from gguf.quants import dequantize

from tooldrill.agent.engines.gguf_header import GgufHeader, TensorEntry, read_gguf_header
from tooldrill.export.layouts.registry import layout_for
from tooldrill.export.layouts.stored import Array
from tooldrill.export.records import TensorCheck

_ALIGNMENT = 32


def check_tensors(model: Any, path: Path) -> TensorCheck:
    """Every tensor of an F16 file of this exporter against the model's, bit for bit.

    Args:
        model: the transformers model that the file was made of.

    Raises:
        UnsupportedError: for a model without a layout.
        TooldrillError: when the file is not a whole GGUF.
    """
    places = _places(read_gguf_header(path))
    equal = 0
    for tensor in layout_for(model.config).tensors(model):
        expected = tensor.array()
        place = places.pop(tensor.name, None)
        if place is None:
            return TensorCheck(tensors=equal, differing=tensor.name)
        given = _values(path, *place)
        if not _same_bits(expected, given):
            return TensorCheck(
                tensors=equal, differing=tensor.name, off_by=_largest_difference(expected, given)
            )
        equal += 1
    return TensorCheck(tensors=equal, differing=next(iter(places), None))


def worst_tensor(source: Path, path: Path) -> tuple[str, float]:
    """The tensor of a quantized file that is farthest from the F16 file's, relative to its size.

    Returns:
        Its name and |quantized - source| / |source|, in the Euclidean norm; infinite for one that
        is missing or holds what is no number.

    Raises:
        TooldrillError: when a file is not a whole GGUF.
    """
    given = _places(read_gguf_header(path))
    worst = ("", -1.0)
    for name, place in _places(read_gguf_header(source)).items():
        error = _error(source, place, path, given[name]) if name in given else np.inf
        if not error <= worst[1]:
            worst = (name, error if np.isfinite(error) else np.inf)
    return worst


def _error(
    source: Path, place: tuple[TensorEntry, int], path: Path, other: tuple[TensorEntry, int]
) -> float:
    expected = _as_float(_values(source, *place), place[0])
    given = _as_float(_values(path, *other), other[0])
    if given.size != expected.size:
        return np.inf
    norm = float(np.linalg.norm(expected))
    given = given.reshape(expected.shape)
    return float(np.linalg.norm(np.subtract(given, expected, out=given))) / (norm or 1.0)


def _places(header: GgufHeader) -> dict[str, tuple[TensorEntry, int]]:
    """Each tensor and the byte at which it begins."""
    return dict(_walk(header))


def _walk(header: GgufHeader) -> Iterator[tuple[str, tuple[TensorEntry, int]]]:
    alignment = int(header.metadata.get("general.alignment", _ALIGNMENT))
    at = header.start
    for tensor in header.tensors:
        yield tensor.name, (tensor, at)
        at += tensor.bytes + -tensor.bytes % alignment


def _values(path: Path, tensor: TensorEntry, at: int) -> Array:
    """As stored: floats of the tensor's shape, slowest dimension first, or rows of bytes."""
    shape = tensor.shape[::-1]
    floats = {"F16": np.float16, "F32": np.float32}
    kind = np.dtype(floats.get(tensor.type, np.uint8))
    values: Array = np.fromfile(path, kind, count=tensor.bytes // kind.itemsize, offset=at)
    return values.reshape(shape if tensor.type in floats else (*shape[:-1], -1))


def _same_bits(expected: Array, given: Array) -> bool:
    if (given.shape, given.dtype) != (expected.shape, expected.dtype):
        return False
    bits = np.dtype(f"u{given.itemsize}")  # a NaN is not equal to itself
    return np.array_equal(given.view(bits), expected.view(bits))


def _as_float(values: Array, tensor: TensorEntry) -> Array:
    if tensor.type in {"F16", "F32"}:
        return values.astype(np.float32)
    floats: Array = dequantize(values, GGMLQuantizationType[tensor.type])
    return floats


def _largest_difference(expected: Array, given: Array) -> float | None:
    if given.shape != expected.shape or not np.issubdtype(given.dtype, np.floating):
        return None
    return float(np.abs(given.astype(np.float64) - expected.astype(np.float64)).max())
