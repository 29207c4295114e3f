"""Reading a GGUF file's header: metadata, tensor names and types, and whether the file is whole.

The official `GGUFReader` takes seconds for a vocabulary of 50,000 tokens and believes what a file
says of itself; this reads the same in a tenth of a second, never touches the weights, and refuses
what llama.cpp refuses, in one line. Counts and lengths are compared with the bytes that are left
before anything is made of them. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
Whether a sound file is a model that can be run is `gguf_check`'s question; writing is
`export.gguf_writer`'s work.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType

from tooldrill.agent.errors import TooldrillError

MAGIC = b"GGUF"
DEFAULT_ALIGNMENT = 32
# Eight times the vocabulary and the merges of the largest known models.
MOST_ITEMS = 1 << 23
MOST_DIMENSIONS = 4
LONGEST_NAME = 63  # bytes
_LARGEST = 2**63 - 1
_LEAST_FIELD = 8 + 1 + 4 + 1  # length and text of the key, type, value
_LEAST_TENSOR = 8 + 1 + 4 + 4 + 8  # length and text of the name, dimensions, type, offset

_CODES = {
    "UINT8": "B", "INT8": "b", "UINT16": "H", "INT16": "h", "UINT32": "I", "INT32": "i",
    "UINT64": "Q", "INT64": "q", "FLOAT32": "f", "FLOAT64": "d", "BOOL": "?",
}  # fmt: skip
_SCALARS = {GGUFValueType[name]: struct.Struct(f"<{code}") for name, code in _CODES.items()}
_LENGTH = _SCALARS[GGUFValueType.UINT64]
# Weights and bytes of a block, of types that older gguf packages do not know.
_SIZES: dict[int, tuple[str, int, int]] = {
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
    42: ("Q2_0", 64, 18),
} | {int(kind): (kind.name, *GGML_QUANT_SIZES[kind]) for kind in GGMLQuantizationType}


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
    """What stands before the weights.

    Attributes:
        kinds: type of each value of the metadata, `UINT32`; of an array that of its items.
        texts: the arrays of texts as bytes, since a token need not be UTF-8.
        start: the byte at which the weights begin.
    """

    version: int
    metadata: dict[str, Any]
    tensors: tuple[TensorEntry, ...]
    kinds: dict[str, str] = field(default_factory=dict)
    texts: dict[str, list[bytes]] = field(default_factory=dict)
    start: int = 0

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture", ""))


def read_gguf_header(path: Path) -> GgufHeader:
    """Reads the header of a little-endian GGUF (version 2 or 3).

    Raises:
        TooldrillError: when the file is missing, is not a GGUF, ends before its weights do, or says
            of itself what cannot be.
    """
    require_gguf(path)
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Cursor(data).header()
    except (_CutError, struct.error) as error:
        raise TooldrillError(
            f"{path} is not a whole GGUF file: {error}",
            "download or export it again and compare its size with the source's",
        ) from error
    except (ValueError, OverflowError) as error:
        raise TooldrillError(
            f"{path} is a broken GGUF file: {error}",
            "download or export it again, and compare its sha256 with the source's",
        ) from error
    except OSError as error:
        raise TooldrillError(f"cannot read {path}: {error.strerror}", "check the file") from error


def require_gguf(path: Path) -> None:
    """Refuses what is plainly no GGUF file.

    Raises:
        TooldrillError: when it is missing, is no file, or does not begin like a GGUF file.
    """
    if path.is_dir():
        raise TooldrillError(f"{path} is a folder", "name the .gguf file inside it")
    if not path.is_file():
        raise TooldrillError(
            f"no GGUF file at {path}", "check the path, or make one: tooldrill export CONFIG"
        )
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise TooldrillError(f"cannot read {path}: {error.strerror}", "check the file") from error
    if magic != MAGIC:
        raise TooldrillError(
            f"{path} is not a GGUF file (it begins with {magic!r})",
            "give a .gguf file; a Hugging Face folder is converted with: tooldrill export CONFIG",
        )


class _CutError(ValueError):
    """The file ends too early."""


class _Cursor:
    """Walks over the bytes of a GGUF file; every read past the end is an error."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.size = len(data)
        self.at = len(MAGIC)
        self.items = 0
        self.kinds: dict[str, str] = {}
        self.texts: dict[str, list[bytes]] = {}

    def header(self) -> GgufHeader:
        version = self.scalar(GGUFValueType.UINT32)
        if version not in (2, 3):
            swapped = int.from_bytes(version.to_bytes(4, "little"), "big") in (2, 3)
            raise ValueError("it is big-endian" if swapped else f"its version is {version}")
        tensor_count = self.count(self.scalar(GGUFValueType.UINT64), _LEAST_TENSOR, "tensors", 16)
        field_count = self.count(self.scalar(GGUFValueType.UINT64), _LEAST_FIELD, "values", 8)
        metadata: dict[str, Any] = {}
        for _ in range(field_count):
            key = self.key()
            if key in metadata:
                raise ValueError(f"{key} stands twice in its metadata")
            metadata[key] = self.value(key)
        entries = [self.tensor() for _ in range(tensor_count)]
        tensors = tuple(entry for entry, _ in entries)
        if len({tensor.name for tensor in tensors}) < len(tensors):
            raise ValueError("two of its tensors have the same name")
        start = self.at
        if entries:
            start = self.require_weights(entries, self.alignment(metadata))
        return GgufHeader(version, metadata, tensors, self.kinds, self.texts, start)

    def alignment(self, metadata: dict[str, Any]) -> int:
        value = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
        if self.kinds.get("general.alignment", "UINT32") != "UINT32" or not isinstance(value, int):
            raise ValueError("general.alignment is no 32-bit number")
        if value < 1 or value & (value - 1):
            raise ValueError(f"general.alignment is {value}, no power of two")
        return value

    def require_weights(self, entries: list[tuple[TensorEntry, int]], alignment: int) -> int:
        """Each tensor begins where the one before it ends, as llama.cpp wants it, in the file.

        Returns the byte at which the first one begins.
        """
        start, end = self.at + -self.at % alignment, 0
        for entry, offset in entries:
            expected = end + -end % alignment
            if offset != expected:
                raise ValueError(f"{entry.name} begins at {offset:,}, not at {expected:,}")
            end = offset + entry.bytes
        if self.size < start + end:
            raise _CutError(f"it holds {self.size:,} of {start + end:,} bytes")
        return start

    def count(self, number: int, least: int, what: str, later: int = 0) -> int:
        """`number`, if so many things of at least so many bytes fit into the rest of the file."""
        if number * least > self.size - self.at - later:
            raise _CutError(f"it announces {number:,} {what}, more than it has room for")
        return number

    def scalar(self, kind: GGUFValueType) -> Any:
        codec = _SCALARS[kind]
        if self.at + codec.size > self.size:
            raise _CutError("it ends inside its header")
        (value,) = codec.unpack_from(self.data, self.at)
        self.at += codec.size
        return value

    def raw(self) -> bytes:
        if self.at + 8 > self.size:
            raise _CutError("it ends inside its header")
        (length,) = _LENGTH.unpack_from(self.data, self.at)
        start, self.at = self.at + 8, self.at + 8 + length
        if self.at > self.size:
            raise _CutError("it ends inside a text of its header")
        return self.data[start : self.at]

    def text(self, what: str) -> str:
        try:
            return self.raw().decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{what} is not UTF-8") from error

    def key(self) -> str:
        key = self.text("a name in its metadata")
        if not key or not key.isprintable():
            raise ValueError(f"{key[:80]!r} is no name of a value")
        return key

    def kind(self, key: str) -> GGUFValueType:
        number = self.scalar(GGUFValueType.UINT32)
        try:
            return GGUFValueType(number)
        except ValueError:
            raise ValueError(f"{key} is of type {number}, which there is not") from None

    def value(self, key: str) -> Any:
        kind = self.kind(key)
        if kind is GGUFValueType.ARRAY:
            return self.array(key)
        self.kinds[key] = kind.name
        return self.text(key) if kind is GGUFValueType.STRING else self.scalar(kind)

    def array(self, key: str) -> list[Any]:
        kind = self.kind(key)
        number = self.scalar(GGUFValueType.UINT64)
        self.kinds[key] = kind.name
        codec = _SCALARS.get(kind, _LENGTH)
        self.count(number, codec.size, f"items in {key}")
        self.items += number
        if self.items > MOST_ITEMS:
            raise ValueError(f"its metadata has more than {MOST_ITEMS:,} items")
        if kind in _SCALARS:
            many = struct.Struct(f"<{number}{codec.format[1:]}")
            values = many.unpack_from(self.data, self.at)
            self.at += many.size
            return list(values)
        if kind is not GGUFValueType.STRING:
            raise ValueError(f"{key} is an array of arrays")
        self.texts[key] = self.raws(number)
        return [text.decode("utf-8", "replace") for text in self.texts[key]]

    def raws(self, number: int) -> list[bytes]:
        """So many texts: `raw`, written out for the hundred thousands of a vocabulary."""
        data, at, length_at = self.data, self.at, _LENGTH.unpack_from
        last, found = self.size - 8, []
        for _ in range(number):
            if at > last:
                raise _CutError("it ends inside its header")
            start = at + 8
            at = start + length_at(data, at)[0]
            found.append(data[start:at])
        if at > self.size:
            raise _CutError("it ends inside a text of its header")
        self.at = at
        return found

    def tensor(self) -> tuple[TensorEntry, int]:
        name = self.text("the name of a tensor")
        if not name.isprintable() or len(name.encode()) > LONGEST_NAME:
            raise ValueError(f"{name[:80]!r} is no name of a tensor")
        dimensions = self.scalar(GGUFValueType.UINT32)
        if dimensions > MOST_DIMENSIONS:
            raise ValueError(f"{name} has {dimensions:,} dimensions")
        shape = tuple(self.scalar(GGUFValueType.UINT64) for _ in range(dimensions))
        number = self.scalar(GGUFValueType.UINT32)
        offset: int = self.scalar(GGUFValueType.UINT64)
        if number not in _SIZES:
            raise ValueError(f"{name} is of the weight type {number}, which is not known here")
        kind, block, size = _SIZES[number]
        parameters = 1
        for width in shape:
            parameters *= width
        # Numbers that no file has room for; the product is one of Python's, which has no end.
        if not 0 < parameters <= _LARGEST or (shape[0] if shape else 1) % block:
            told = " x ".join(map(str, shape))
            raise ValueError(f"{name} cannot be {told} weights of {kind}")
        return TensorEntry(name, shape, kind, parameters, parameters // block * size), offset
