"""Strict JSON: the object that stands in a reply, or one sentence saying why it cannot be read.

Stricter than Python's reader where a reader could not be sure what was meant or could not pass it
on (RFC 8259 sections 4, 6, 8.2 and 9): repeated keys, NaN and Infinity, numbers beyond a float,
lone surrogates, extreme nesting. It mends nothing; that is `repair`'s work.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

# Deeper values would overflow the recursion of what reads them later (schemas, serializers).
MAX_DEPTH = 64
# Whole numbers of up to so many digits fit a float.
_MAX_DIGITS = 308
_NOT_SPACE = re.compile(r"[^ \t\n\r]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_PYTHON_WORD = re.compile(r"(?:True|False|None|undefined)\b")
_AROUND = 20  # characters shown on each side of the place where reading stopped


@dataclass(frozen=True, slots=True)
class Found:
    """An object in a text.

    Attributes:
        value: the object.
        end: index of the first character after it.
    """

    value: dict[str, Any]
    end: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is no object.

    Attributes:
        reason: one sentence that an agent can act on.
        broken: the text is not JSON at all, rather than JSON that is not accepted.
    """

    reason: str
    broken: bool = True


class _NotAcceptedError(ValueError):
    """JSON, but of a kind that is refused; its text is the whole sentence."""


def read_object(text: str, start: int = 0) -> Found | Refused:
    """The JSON object that begins at or after `start`, white space before it passed over."""
    at = skip_space(text, start)
    try:
        value, end = _DECODER.raw_decode(text, at)
        if not isinstance(value, dict):
            return Refused(f"Write one JSON object, not {_kind(value)}.", broken=False)
        _check(value, text[at:end])
    except _NotAcceptedError as error:
        return Refused(str(error), broken=False)
    except json.JSONDecodeError as error:
        return Refused(_explain(error, at))
    except RecursionError:
        return Refused(_TOO_DEEP, broken=False)
    return Found(value, end)


def read_whole(text: str) -> dict[str, Any] | Refused:
    """The JSON object that `text` is, with nothing but white space around it."""
    found = read_object(text)
    if isinstance(found, Refused):
        return found
    rest = skip_space(text, found.end)
    if rest < len(text):
        second = "a second object" if text[rest] == "{" else "text"
        return Refused(
            f"Write one JSON object and nothing else: {second} follows it, "
            f"{excerpt(text[rest:], 0)}."
        )
    return found.value


def read_value(text: str) -> Any | Refused:
    """The JSON value of any kind that `text` is, with nothing around it."""
    try:
        value, end = _DECODER.raw_decode(text)
        if end < len(text):
            return Refused(
                f"Write one value and nothing else: {excerpt(text[end:], 0)} follows it."
            )
        if isinstance(value, dict | list | str):
            _check([value], text)
    except _NotAcceptedError as error:
        return Refused(str(error), broken=False)
    except json.JSONDecodeError as error:
        return Refused(_explain(error, 0))
    except RecursionError:
        return Refused(_TOO_DEEP, broken=False)
    return value


def half_character(text: str) -> bool:
    """Whether a lone surrogate stands in the text, which UTF-8 cannot hold."""
    return _SURROGATE.search(text) is not None


def skip_space(text: str, start: int) -> int:
    """Index of the first character from `start` on that is no JSON white space."""
    match = _NOT_SPACE.search(text, start)
    return match.start() if match else len(text)


def dump(value: Any) -> str:
    """JSON as models write it: spaces after separators, characters unescaped."""
    return json.dumps(value, ensure_ascii=False)


def excerpt(text: str, at: int) -> str:
    """The text around an index, in backticks and on one line."""
    start, end = max(0, at - _AROUND), at + _AROUND
    line = " ".join(storable(text[start:end]).split())
    return f"{'...' if start else ''}`{line}`{'...' if end < len(text) else ''}"


def storable(text: str) -> str:
    """The text as UTF-8 can hold it: a lone surrogate is written out as its escape."""
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


_TOO_DEEP = f"Nest at most {MAX_DEPTH} levels of objects and lists."


def _check(value: Any, source: str) -> None:
    """Refuses what the decoder lets through; each walk is made only where it could find anything.

    Raises:
        _NotAcceptedError: for extreme nesting or a lone surrogate.
    """
    if source.count("{") + source.count("[") > MAX_DEPTH and _depth_exceeds(value, MAX_DEPTH):
        raise _NotAcceptedError(_TOO_DEEP)
    if _SURROGATE.search(source) or (_ESCAPED_SURROGATE.search(source) and _has_surrogate(value)):
        raise _NotAcceptedError(
            "A string holds half a character (a lone surrogate escape such as \\ud83d): write the "
            "character itself."
        )


def _depth_exceeds(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _has_surrogate(value: Any) -> bool:
    """Within `MAX_DEPTH`, so that dumping cannot recurse too deep."""
    return _SURROGATE.search(json.dumps(value, ensure_ascii=False)) is not None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise _NotAcceptedError(f'Give "{shorten(twice)}" only once in an object.')
    return value


def shorten(name: str, limit: int = 60) -> str:
    """A name as it may stand in a sentence: storable, and never a page long."""
    plain = storable(name)
    return plain if len(plain) <= limit else plain[:limit] + "..."


def _constant(name: str) -> Any:
    raise _NotAcceptedError(f"{name} is not JSON: write a number, or null.")


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise _NotAcceptedError(f"A number of {len(digits)} digits is too large.")
    return int(digits)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _NotAcceptedError(f"The number {shorten(text, 20)} is too large.")
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_integer, parse_float=_float
)


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    return "a string" if isinstance(value, str) else "a bare value"


def _explain(error: json.JSONDecodeError, start: int) -> str:
    """What is wrong with broken JSON, where, and how it is written right."""
    text, at = error.doc, error.pos
    if text.startswith("```", start):
        return "Write the JSON object itself, without a Markdown fence around it."
    if at == start and text[at : at + 1] not in ("{", "["):
        if at >= len(text):
            return "There is nothing where a JSON object must stand."
        return f"A JSON object must stand here, not {excerpt(text[at:], 0)}."
    place = f"line {error.lineno}, column {error.colno}"
    return f"This is not valid JSON ({place}, near {excerpt(text, at)}): {_advice(error)}."


def _advice(error: json.JSONDecodeError) -> str:
    text, at = error.doc, error.pos
    here, before = text[at : at + 1], text[:at].rstrip()[-1:]
    if "Unterminated string" in error.msg or at >= len(text.rstrip()):
        return "it is cut off, close every string, list and object"
    if "control character" in error.msg:
        return "write a line break inside a string as \\n and a tab as \\t"
    if "escape" in error.msg:
        return "write a backslash inside a string as \\\\"
    if here == "'":
        return "put keys and strings in double quotes"
    if (before == "," and here in "}]") or "trailing comma" in error.msg:
        return "leave out the comma before the closing bracket"
    if _PYTHON_WORD.match(text, at):
        return "write true, false and null"
    if "property name" in error.msg:
        return "put every key in double quotes"
    if "delimiter" in error.msg:
        return 'a comma or colon is missing, or a quote inside a string is not written as \\"'
    return "a value is missing or is not JSON"
