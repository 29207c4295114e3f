"""GGUF files byte by byte, so that anything in them can be wrong."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Any

U32, I32, F32, BOOL, TEXT, LIST, U64, U16 = 4, 5, 6, 7, 8, 9, 10, 2
_CODES = {U16: "<H", U32: "<I", I32: "<i", F32: "<f", BOOL: "<?", U64: "<Q"}
F32_WEIGHTS, F16_WEIGHTS = 0, 1


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def items(kind: int, values: list[Any], count: int | None = None) -> bytes:
    """An array, which may announce another count than it has."""
    head = struct.pack("<IQ", kind, len(values) if count is None else count)
    made = (text(v) if kind == TEXT else struct.pack(_CODES[kind], v) for v in values)
    return head + b"".join(made)


@dataclass(frozen=True)
class Tensor:
    name: str | bytes
    shape: tuple[int, ...]
    kind: int = F32_WEIGHTS
    offset: int | None = None
    dimensions: int | None = None


@dataclass(frozen=True)
class Gguf:
    """A file; `raw` are values as they are written after the type, in the order of the file."""

    fields: dict[str, tuple[int, Any]]
    tensors: tuple[Tensor, ...] = ()
    version: int = 3
    counts: tuple[int | None, int | None] = (None, None)
    twice: tuple[str, ...] = ()
    weights: int | None = None
    big_endian: bool = False

    def having(self, *gone: str, **changes: Any) -> Gguf:
        """Another file, without some of the values."""
        fields = {key: value for key, value in self.fields.items() if key not in gone}
        return replace(self, **{"fields": fields, **changes})

    def saying(self, key: str, kind: int, value: Any) -> Gguf:
        return replace(self, fields={**self.fields, key: (kind, value)})

    def bytes(self) -> bytes:
        tensors, fields = self.counts
        order = ">I" if self.big_endian else "<I"
        out = b"GGUF" + struct.pack(order, self.version)
        out += struct.pack("<Q", len(self.tensors) if tensors is None else tensors)
        count = len(self.fields) + len(self.twice)
        out += struct.pack("<Q", count if fields is None else fields)
        for key in (*self.fields, *self.twice):
            kind, value = self.fields[key]
            out += text(key) + struct.pack("<I", kind)
            out += value if kind == LIST else _value(kind, value)
        at = 0
        for one in self.tensors:
            size = 2 if one.kind == F16_WEIGHTS else 4
            for width in one.shape:
                size *= width
            out += text(one.name)
            out += struct.pack("<I", len(one.shape) if one.dimensions is None else one.dimensions)
            out += b"".join(struct.pack("<Q", width) for width in one.shape)
            out += struct.pack("<IQ", one.kind, at % 2**64 if one.offset is None else one.offset)
            at += size + -size % 32
        out += b"\0" * (-len(out) % 32)
        return out + b"\1" * (min(at, 1 << 20) if self.weights is None else self.weights)


def _value(kind: int, value: Any) -> bytes:
    if isinstance(value, bytes) and kind != TEXT:
        return value
    return text(value) if kind == TEXT else struct.pack(_CODES.get(kind, "<I"), value)


def small() -> Gguf:
    """A llama of one layer with a word for each byte, which passes the checks."""
    width, words = 8, [f"<0x{byte:02X}>" for byte in range(256)]
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (width, len(words)), "output_norm.weight": (width,),
        "blk.0.attn_norm.weight": (width,), "blk.0.attn_q.weight": (width, width),
        "blk.0.attn_k.weight": (width, width), "blk.0.attn_v.weight": (width, width),
        "blk.0.attn_output.weight": (width, width), "blk.0.ffn_norm.weight": (width,),
        "blk.0.ffn_gate.weight": (width, 16), "blk.0.ffn_up.weight": (width, 16),
        "blk.0.ffn_down.weight": (16, width),
    }  # fmt: skip
    fields: dict[str, tuple[int, Any]] = {
        "general.architecture": (TEXT, "llama"), "general.name": (TEXT, "small"),
        "llama.block_count": (U32, 1), "llama.context_length": (U32, 64),
        "llama.embedding_length": (U32, width), "llama.feed_forward_length": (U32, 16),
        "llama.attention.head_count": (U32, 2), "llama.rope.dimension_count": (U32, 4),
        "llama.attention.layer_norm_rms_epsilon": (F32, 1e-5),
        "tokenizer.ggml.model": (TEXT, "llama"),
        "tokenizer.ggml.tokens": (LIST, items(TEXT, words)),
        "tokenizer.ggml.scores": (LIST, items(F32, [0.0] * 256)),
        "tokenizer.ggml.token_type": (LIST, items(I32, [6] * 256)),
        "tokenizer.chat_template": (TEXT, "{{ messages[0].content }}"),
    }  # fmt: skip
    return Gguf(fields, tuple(Tensor(name, shape) for name, shape in shapes.items()))
