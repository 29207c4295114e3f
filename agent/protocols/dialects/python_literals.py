"""Python literals as models write them in a call: strings, numbers, lists, objects, words.

A strict reader of its own, because `ast` reads far more (operators, calls, bytes), needs to know
where the text ends, and gives no sentence that a model could act on. Linear in the text's length.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from tooldrill.agent.protocols.json_text import (
    MAX_DEPTH,
    Refused,
    excerpt,
    half_character,
    read_value,
    shorten,
    skip_space,
)

_WORDS = {"True": True, "true": True, "False": False, "false": False, "None": None, "null": None}
_WORD = re.compile(r"[A-Za-z]\w*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_PLAIN = {quote: re.compile(rf"[^{quote}\\\n]*") for quote in "'\""}
_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "0": "\0",
    "\\": "\\", "'": "'", '"': '"', "/": "/",
}  # fmt: skip
_HEX = {"x": 2, "u": 4, "U": 8}
_PAIR = re.compile(r"[\ud800-\udbff][\udc00-\udfff]")


class Literal(NamedTuple):
    """A value and the index of the first character after it."""

    value: Any
    end: int


class _BrokenError(ValueError):
    """No literal; its text is the whole sentence."""


def read_literal(text: str, at: int) -> Literal | Refused:
    """The literal that begins at `at`."""
    try:
        return Literal(*_value(text, at, 0))
    except _BrokenError as error:
        return Refused(str(error))


def write_literal(value: Any) -> str:
    """A value as Python writes it, strings in JSON's quotes; dictionaries and lists inside too."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(write_literal, value))}]"
    if isinstance(value, dict):
        items = (f"{write_literal(key)}: {write_literal(item)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    return repr(value)


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    first = text[at : at + 1]
    if depth > MAX_DEPTH:
        raise _BrokenError(f"Nest at most {MAX_DEPTH} levels of objects and lists.")
    if first in ("'", '"') and first:
        return _string(text, at)
    if first == "[":
        return _list(text, at, depth)
    if first == "{":
        return _object(text, at, depth)
    number = _NUMBER.match(text, at)
    if number is not None:
        value = read_value(number[0])
        if isinstance(value, Refused):
            raise _BrokenError(value.reason)
        return value, number.end()
    word = _WORD.match(text, at)
    if word is not None and word[0] in _WORDS:
        return _WORDS[word[0]], word.end()
    if at >= len(text):
        raise _BrokenError("The call is cut off: a value is missing.")
    raise _BrokenError(f"A value must stand here, with strings in quotes: {excerpt(text[at:], 0)}.")


def _string(text: str, at: int) -> tuple[str, int]:
    quote, parts, at = text[at], [], at + 1
    plain = _PLAIN[quote]
    while True:
        piece = plain.match(text, at)
        assert piece is not None  # it matches the empty text
        parts.append(piece[0])
        at = piece.end()
        here = text[at : at + 1]
        if here == quote:
            break
        if here == "\n":
            raise _BrokenError("Write a line break inside a string as \\n.")
        if not here:
            raise _BrokenError("The call is cut off: a string is not closed.")
        escaped, at = _escape(text, at + 1)
        parts.append(escaped)
    value = _PAIR.sub(_joined, "".join(parts))
    if half_character(value):
        raise _BrokenError("A string holds half a character (a lone surrogate).")
    return value, at + 1


def _joined(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16", "surrogatepass").decode("utf-16")


def _escape(text: str, at: int) -> tuple[str, int]:
    """What the escape whose letter stands at `at` means, and where it ends."""
    letter = text[at : at + 1]
    if letter in _ESCAPES:
        return _ESCAPES[letter], at + 1
    if letter in _HEX:
        digits = text[at + 1 : at + 1 + _HEX[letter]]
        if len(digits) == _HEX[letter] and re.fullmatch(r"[0-9a-fA-F]+", digits):
            code = int(digits, 16)
            if code <= 0x10FFFF:
                return chr(code), at + 1 + len(digits)
    raise _BrokenError("Write a backslash inside a string as \\\\.")


def _list(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    values: list[Any] = []
    at = skip_space(text, at + 1)
    if text.startswith("]", at):
        return values, at + 1
    while True:
        value, at = _value(text, at, depth + 1)
        values.append(value)
        at = skip_space(text, at)
        if text.startswith("]", at):
            return values, at + 1
        at = _comma(text, at, "a list")


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    values: dict[str, Any] = {}
    at = skip_space(text, at + 1)
    if text.startswith("}", at):
        return values, at + 1
    while True:
        if text[at : at + 1] not in ("'", '"') or at >= len(text):
            raise _BrokenError(f"Put every key in quotes: {excerpt(text[at:], 0)}.")
        key, at = _string(text, at)
        if key in values:
            raise _BrokenError(f'Give "{shorten(key)}" only once in an object.')
        at = skip_space(text, at)
        if not text.startswith(":", at):
            raise _BrokenError(f"A colon must follow a key: {excerpt(text[at:], 0)}.")
        values[key], at = _value(text, skip_space(text, at + 1), depth + 1)
        at = skip_space(text, at)
        if text.startswith("}", at):
            return values, at + 1
        at = _comma(text, at, "an object")


def _comma(text: str, at: int, what: str) -> int:
    if text.startswith(",", at):
        return skip_space(text, at + 1)
    if at >= len(text):
        raise _BrokenError("The call is cut off: close every string, list and object.")
    raise _BrokenError(f"A comma is missing in {what}: {excerpt(text[at:], 0)}.")
