"""Whether the vocabulary of a GGUF is one that llama.cpp can work with.

A part of `gguf_check`, which says what it is for.
"""

from __future__ import annotations

import re

from tooldrill.agent.engines.gguf_header import GgufHeader

_BYTE = re.compile(rb"<0x[0-9A-F]{2}>")
_BYTE_TOKEN = 6  # llama.cpp's LLAMA_TOKEN_TYPE_BYTE


class UnfitError(ValueError):
    """What is wrong with a file, in the words of the message."""


def require_vocabulary(header: GgufHeader) -> None:
    """Refuses a vocabulary that llama.cpp would end the process on.

    Raises:
        UnfitError: with what is wrong.
    """
    kind, tokens = header.metadata.get("tokenizer.ggml.model"), _tokens(header)
    if kind in (None, "none", "no_vocab") or not tokens:
        raise UnfitError("it has no tokens")
    # As llama.cpp reads them: to the first zero byte, and those without a text have its own names.
    texts = [text.partition(b"\0")[0] for text in tokens]
    named = [text or b"[EMPTY_%d]" % number for number, text in enumerate(texts)]
    if len(set(named)) < len(named):
        raise UnfitError("two of its tokens have the same text")
    for key, least in {"scores": "FLOAT32", "token_type": "INT32"}.items():
        values = header.metadata.get(f"tokenizer.ggml.{key}")
        if values is None:
            continue
        if not isinstance(values, list) or header.kinds[f"tokenizer.ggml.{key}"] not in (
            "INT32",
            least,
        ):
            raise UnfitError(f"tokenizer.ggml.{key} is of the wrong type")
        if len(values) < len(tokens):
            raise UnfitError(f"tokenizer.ggml.{key} has {len(values):,} of {len(tokens):,} values")
    if kind in ("llama", "t5"):
        _require_byte_tokens(tokens, header.metadata.get("tokenizer.ggml.token_type", []))
    if kind == "llama":
        _require_all_bytes(tokens)


def _tokens(header: GgufHeader) -> list[bytes]:
    """The texts of the vocabulary."""
    for key in ("tokenizer.ggml.tokens", "tokenizer.ggml.merges"):
        if key in header.metadata and key not in header.texts:
            raise UnfitError(f"{key} is no list of texts")
    return header.texts.get("tokenizer.ggml.tokens", [])


def _require_byte_tokens(tokens: list[bytes], types: list[int]) -> None:
    for token, kind in zip(tokens, types, strict=False):
        if kind == _BYTE_TOKEN and not _BYTE.fullmatch(token):
            raise UnfitError(f"its token {token[:40]!r} stands for no byte")


def _require_all_bytes(tokens: list[bytes]) -> None:
    """A token for each byte: llama.cpp has no other way to write what it has no token for."""
    known = set(tokens)
    for byte in range(256):
        if b"<0x%02X>" % byte not in known and bytes([byte]) not in known:
            raise UnfitError(f"its vocabulary has no token for the byte {byte}")
