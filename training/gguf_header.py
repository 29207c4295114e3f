"""Reading a GGUF file's header: metadata, tensor names and types, and whether the file is whole.

The official `GGUFReader` takes seconds for a vocabulary of 50,000 tokens and says little about a
cut-off file; this reads the same in a tenth of a second and never touches the weights. Format:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Writing is `export.gguf_writer`'s work.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType

from tooldrill.agent.errors import TooldrillError

MAGIC = b"GGUF"
DEFAULT_ALIGNMENT = 32

_SCALARS = {
    GGUFValueType.UINT8: struct.Struct("<B"),
    GGUFValueType.INT8: struct.Struct("<b"),
    GGUFValueType.UINT16: struct.Struct("<H"),
    GGUFValueType.INT16: struct.Struct("<h"),
    GGUFValueType.UINT32: struct.Struct("<I"),
    GGUFValueType.INT32: struct.Struct("<i"),
    GGUFValueType.FLOAT32: struct.Struct("<f"),
    GGUFValueType.BOOL: struct.Struct("<?"),
    GGUFValueType.UINT64: struct.Struct("<Q"),
    GGUFValueType.INT64: struct.Struct("<q"),
    GGUFValueType.FLOAT64: struct.Struct("<d"),
}


@dataclass(frozen=True)
class TensorEntry:
    """A tensor as the header announces it.

    Attributes:
        name: GGUF name, `blk.0.attn_q.weight`.
        shape: fastest dimension first, as GGUF counts; `type` is the name of its GGML type.
        parameters: number of weights; bytes: their size in the file.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    parameters: int
    bytes: int


@dataclass(frozen=True)
class GgufHeader:
    """What stands before the weights."""

    version: int
    metadata: dict[str, Any]
    tensors: tuple[TensorEntry, ...]

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture", ""))


def read_gguf_header(path: Path) -> GgufHeader:
    """Reads the header of a little-endian GGUF (version 2 or 3).

    Raises:
        TooldrillError: when the file is missing, is not a GGUF, or ends before its weights do.
    """
    if not path.is_file():
        raise TooldrillError(f"no GGUF file at {path}", "check the path in `model.path`")
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Cursor(data).header()
    except (ValueError, struct.error, OverflowError, KeyError) as error:
        raise TooldrillError(
            f"{path} is not a whole GGUF file: {error or type(error).__name__}",
            "download or export it again and compare its size with the source's",
        ) from error


class _Cursor:
    """Walks over the bytes of a GGUF file; every read past the end is a `struct.error`."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def header(self) -> GgufHeader:
        if self.data[:4] != MAGIC:
            raise ValueError("it does not begin with the bytes GGUF")
        self.at = 4
        version = self.scalar(GGUFValueType.UINT32)
        if version not in (2, 3):
            raise ValueError(f"its version is {version}, not 2 or 3")
        tensor_count = self.scalar(GGUFValueType.UINT64)
        field_count = self.scalar(GGUFValueType.UINT64)
        metadata = {self.string(): self.value() for _ in range(field_count)}
        tensors, ends = [], [0]
        for _ in range(tensor_count):
            entry, offset = self.tensor()
            tensors.append(entry)
            ends.append(offset + entry.bytes)
        alignment = int(metadata.get("general.alignment", DEFAULT_ALIGNMENT))
        expected = -(-self.at // alignment) * alignment + max(ends)
        if len(self.data) < expected:
            raise ValueError(f"it holds {len(self.data):,} of {expected:,} bytes")
        return GgufHeader(version, metadata, tuple(tensors))

    def scalar(self, kind: GGUFValueType) -> Any:
        codec = _SCALARS[kind]
        (value,) = codec.unpack_from(self.data, self.at)
        self.at += codec.size
        return value

    def string(self) -> str:
        length = self.scalar(GGUFValueType.UINT64)
        start, self.at = self.at, self.at + length
        if self.at > len(self.data):
            raise ValueError("it ends inside its metadata")
        return self.data[start : self.at].decode("utf-8", "replace")

    def value(self, kind: GGUFValueType | None = None) -> Any:
        kind = GGUFValueType(self.scalar(GGUFValueType.UINT32)) if kind is None else kind
        if kind is GGUFValueType.STRING:
            return self.string()
        if kind is GGUFValueType.ARRAY:
            return self.array()
        return self.scalar(kind)

    def array(self) -> list[Any]:
        kind = GGUFValueType(self.scalar(GGUFValueType.UINT32))
        count = self.scalar(GGUFValueType.UINT64)
        if kind in _SCALARS:
            codec = struct.Struct(f"<{count}{_SCALARS[kind].format[1:]}")
            values = codec.unpack_from(self.data, self.at)
            self.at += codec.size
            return list(values)
        return [self.value(kind) for _ in range(count)]

    def tensor(self) -> tuple[TensorEntry, int]:
        name = self.string()
        dimensions = self.scalar(GGUFValueType.UINT32)
        shape = tuple(self.scalar(GGUFValueType.UINT64) for _ in range(dimensions))
        kind = GGMLQuantizationType(self.scalar(GGUFValueType.UINT32))
        offset: int = self.scalar(GGUFValueType.UINT64)
        parameters = 1
        for size in shape:
            parameters *= size
        block, block_bytes = GGML_QUANT_SIZES[kind]
        return TensorEntry(
            name, shape, kind.name, parameters, parameters // block * block_bytes
        ), offset
