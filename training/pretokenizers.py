"""How text is cut before BPE: llama.cpp's names for it, and the same cut in `tokenizers`.

A GGUF only names its cut (`tokenizer.ggml.pre`) and llama.cpp holds the pattern; transformers
ignores the name and cuts as GPT-2 does, so a model would be trained on tokens that llama.cpp never
makes ("  12" is an example for SmolLM2). This table serves both ways: a tokenizer read from a GGUF
gets the right cut, and a tokenizer from the hub gets its name. `export.verify` has the last word.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tokenizers import Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Digits, PreTokenizer, Sequence, Split

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3_PATTERN = _WORDS + r"\p{N}{1,3}" + _REST
QWEN2_PATTERN = _WORDS + r"\p{N}" + _REST
# Qwen 3.5 keeps combining marks with their letters.
QWEN35_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _bytes(*, cut: bool) -> PreTokenizer:
    return ByteLevel(add_prefix_space=False, use_regex=cut)


def _pattern(pattern: str) -> PreTokenizer:
    return Sequence([Split(Regex(pattern), "isolated"), _bytes(cut=False)])


def _single_digits() -> PreTokenizer:
    return Sequence([Digits(individual_digits=True), _bytes(cut=True)])


# The first name of a cut is the one written into new files.
_MAKERS: dict[str, Callable[[], PreTokenizer]] = {
    "smollm": _single_digits,
    "starcoder": _single_digits,
    "refact": _single_digits,
    "command-r": _single_digits,
    "gpt-2": lambda: _bytes(cut=True),
    "llama-bpe": lambda: _pattern(LLAMA3_PATTERN),
    "llama3": lambda: _pattern(LLAMA3_PATTERN),
    "llama-v3": lambda: _pattern(LLAMA3_PATTERN),
    "qwen2": lambda: _pattern(QWEN2_PATTERN),
    "qwen35": lambda: _pattern(QWEN35_PATTERN),
}
KNOWN = tuple(_MAKERS)


def pre_tokenizer_from_name(name: str) -> PreTokenizer | None:
    """The cut that llama.cpp makes under this name; None for a name not in the table."""
    maker = _MAKERS.get(name)
    return maker() if maker else None


def name_of_pre_tokenizer(tokenizer: Tokenizer) -> str | None:
    """llama.cpp's name for how this tokenizer cuts text; None when the table has no such cut."""
    cut = _steps(_description(tokenizer))
    return next((name for name in KNOWN if cut == _named_steps(name)), None)


def _named_steps(name: str) -> list[dict[str, Any]]:
    empty = Tokenizer(BPE())
    empty.pre_tokenizer = _MAKERS[name]()
    return _steps(_description(empty))


def _description(tokenizer: Any) -> dict[str, Any] | None:
    described: dict[str, Any] | None = json.loads(tokenizer.to_str())["pre_tokenizer"]
    return described


def _steps(description: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The steps of a serialized cut without the fields that do not change its tokens."""
    if description is None:
        return []
    if description["type"] == "Sequence":
        return [step for inner in description["pretokenizers"] for step in _steps(inner)]
    return [{key: value for key, value in description.items() if key != "trim_offsets"}]
