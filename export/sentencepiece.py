"""A SentencePiece tokenizer in `tokenizers`' form, as GGUF's `llama` tokenizer model stores it.

Gemma, Llama 2 and the first Mistral and Phi 3 have such ones. transformers keeps them as BPE with
ranked merges over raw characters; llama.cpp merges the pair whose token has the highest score. So
a token's score is the rank of the first merge that makes it, negated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import gguf

SPACE = "\u2581"
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
# Below every rank: for tokens that no merge makes.
NEVER = -1e6
_SPACES: dict[str, Any] = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
_PREFIX: dict[str, Any] = {"type": "Prepend", "prepend": SPACE}


def is_sentencepiece(description: dict[str, Any]) -> bool:
    """Whether a serialized tokenizer is of this kind, in a form whose cut llama.cpp makes."""
    model = description["model"]
    return (
        model["type"] == "BPE"
        and bool(model.get("byte_fallback"))
        and _normalizers(description) in ([_SPACES], [_PREFIX, _SPACES])
        and _cuts_nothing(description["pre_tokenizer"])
    )


def adds_prefix(description: dict[str, Any]) -> bool:
    """Whether a space is put before a text."""
    return _PREFIX in _normalizers(description)


def scores(tokens: Sequence[str], merges: Sequence[str | Sequence[str]]) -> list[float]:
    """What llama.cpp orders merges by, for every token."""
    ranks: dict[str, int] = {}
    for rank, merge in enumerate(merges):
        made = merge.replace(" ", "", 1) if isinstance(merge, str) else "".join(merge)
        ranks.setdefault(made, rank)
    return [float(-ranks[token]) if token in ranks else NEVER for token in tokens]


def token_type(text: str, kind: gguf.TokenType, unknown: str | None) -> gguf.TokenType:
    """The type of a token that byte-level BPE would call `kind`."""
    if text == unknown:
        return gguf.TokenType.UNKNOWN
    return gguf.TokenType.BYTE if _BYTE.fullmatch(text) else kind


def _normalizers(description: dict[str, Any]) -> list[dict[str, Any]]:
    normalizer = description["normalizer"] or {"type": "Sequence", "normalizers": []}
    steps: list[dict[str, Any]] = normalizer.get("normalizers", [normalizer])
    return [json.loads(json.dumps(step)) for step in steps]


def _cuts_nothing(pre_tokenizer: dict[str, Any] | None) -> bool:
    """Gemma's cuts at spaces, of which the normalizer has left none."""
    return pre_tokenizer is None or pre_tokenizer.get("pattern") == {"String": " "}
