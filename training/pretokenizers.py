"""How text is cut before BPE: llama.cpp's names for it, and the same cut in `tokenizers`.

A GGUF only names its cut (`tokenizer.ggml.pre`) and llama.cpp holds the pattern. Where its pattern
is not the published one (`tekken`, `gpt-4o`: marks and capitals beyond ASCII), the table has both:
a tokenizer is recognised by the published one, and trained with llama.cpp's (`own_tokenizer`), or
the model would learn tokens that it never gets to see. `export.same_tokens` has the last word.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tokenizers import Regex, Tokenizer
from tokenizers.pre_tokenizers import ByteLevel, Digits, PreTokenizer, Sequence, Split

_ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
# The same but for the long s, which Unicode counts as an s.
_ASCII_ENDINGS = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3 = r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + _REST
_QWEN2 = r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + _REST
# Qwen 3.5 keeps combining marks with their letters.
_QWEN35 = (
    r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
# llama.cpp knows capitals in ASCII only, and no marks.
_NOT_LOWER, _NOT_UPPER = r"(?:(?=\p{L})[^a-z])", r"(?:(?=\p{L})[^A-Z])"


def _cased(upper: str, lower: str, ending: str, digits: str) -> str:
    """Words cut where capitals begin, with what may end them."""
    begin = r"[^\r\n\p{L}\p{N}]?"
    return (
        rf"{begin}{upper}*{lower}+{ending}|{begin}{upper}+{lower}*{ending}|\p{{N}}{digits}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


@dataclass(frozen=True)
class Cut:
    """How llama.cpp cuts under one name.

    Attributes:
        make: the cut.
        published: what models have that llama.cpp runs with it, where that is not the same.
        whole_words: a word that is a token is that token, whatever the merges make of it.
    """

    make: Callable[[], PreTokenizer]
    published: Callable[[], PreTokenizer] | None = None
    whole_words: bool = False


def _bytes(*, cut: bool) -> PreTokenizer:
    return ByteLevel(add_prefix_space=False, use_regex=cut)


def _pattern(pattern: str) -> Callable[[], PreTokenizer]:
    return lambda: Sequence([Split(Regex(pattern), "isolated"), _bytes(cut=False)])


def _with_endings(pattern: str, *, whole_words: bool = False) -> Cut:
    return Cut(_pattern(_ASCII_ENDINGS + pattern), _pattern(_ENDINGS + pattern), whole_words)


_SINGLE_DIGITS = Cut(lambda: Sequence([Digits(individual_digits=True), _bytes(cut=True)]))
_LLAMA = _with_endings(_LLAMA3, whole_words=True)
_DBRX = _with_endings(_LLAMA3)

# The first name of a cut is the one written into new files.
CUTS: dict[str, Cut] = {
    "smollm": _SINGLE_DIGITS,
    "starcoder": _SINGLE_DIGITS,
    "refact": _SINGLE_DIGITS,
    "command-r": _SINGLE_DIGITS,
    "gpt-2": Cut(lambda: _bytes(cut=True)),
    "llama-bpe": _LLAMA,
    "llama3": _LLAMA,
    "llama-v3": _LLAMA,
    "lfm2": _LLAMA,
    "dbrx": _DBRX,
    "smaug-bpe": _DBRX,
    "qwen2": _with_endings(_QWEN2),
    "qwen35": _with_endings(_QWEN35),
    "tekken": Cut(
        _pattern(_cased(_NOT_LOWER, _NOT_UPPER, "", "")),
        _pattern(_cased(_UPPER, _LOWER, "", "")),
        whole_words=True,
    ),
    "gpt-4o": Cut(
        _pattern(_cased(_NOT_LOWER, _NOT_UPPER, f"{_ASCII_ENDINGS}?", "{1,3}")),
        _pattern(_cased(_UPPER, _LOWER, f"{_ENDINGS}?", "{1,3}")),
    ),
}
KNOWN = tuple(CUTS)


def pre_tokenizer_from_name(name: str) -> PreTokenizer | None:
    """The cut that llama.cpp makes under this name; None for a name not in the table."""
    cut = CUTS.get(name)
    return cut.make() if cut else None


def name_of_pre_tokenizer(tokenizer: Tokenizer) -> str | None:
    """llama.cpp's name for how this BPE tokenizer cuts text; None when the table has no such cut.

    Of two names for one cut, that which treats whole words as the tokenizer does.
    """
    steps = _steps(tokenizer.pre_tokenizer)
    fitting = [name for name, cut in CUTS.items() if steps in _known_steps(cut)]
    whole = bool(tokenizer.model.ignore_merges)
    alike = [name for name in fitting if CUTS[name].whole_words == whole]
    return next(iter([*alike, *fitting]), None)


def _known_steps(cut: Cut) -> list[list[dict[str, Any]]]:
    return [_steps(make()) for make in (cut.make, cut.published) if make]


def _steps(pre_tokenizer: PreTokenizer | None) -> list[dict[str, Any]]:
    """The steps of a cut without the fields that do not change its tokens."""
    if pre_tokenizer is None:
        return []
    return _plain(json.loads(pre_tokenizer.__getstate__()))


def _plain(description: dict[str, Any]) -> list[dict[str, Any]]:
    if description["type"] == "Sequence":
        return [step for inner in description["pretokenizers"] for step in _plain(inner)]
    step = {key: value for key, value in description.items() if key != "trim_offsets"}
    # Keeping what matches, or cutting there: one thing for patterns that match everything.
    if step.get("behavior") == "Removed" and step["invert"]:
        step |= {"behavior": "Isolated", "invert": False}
    return [step]
