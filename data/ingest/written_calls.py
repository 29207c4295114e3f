"""Calls written as `[name(key=value, ...), other name(...)]`, which is how ToolACE writes them.

They are parsed, never executed. Names may hold blanks, brackets and commas, as long as a tool of
the record bears them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tooldrill.agent.call import Call
from tooldrill.data.ingest.conversation import DroppedError
from tooldrill.data.ingest.literals import literal

_QUOTES = "\"'"
_PAIRS = {"(": ")", "[": "]", "{": "}"}
# The whole text is a call, though of a tool that is not offered.
_ANY_CALL = re.compile(r"\[\s*[A-Za-z_][\w .\-]*\(.*\)\s*\]", re.DOTALL)


def written_calls(text: str, names: Sequence[str]) -> tuple[str, list[Call]] | None:
    """The text before the calls, and the calls; None when the text makes none.

    Args:
        names: of the tools.

    Raises:
        DroppedError: when it calls a tool and cannot be read, or says something after it.
    """
    start = _start(text, names)
    if start is None:
        return None
    try:
        calls, end = _calls(text, start, names)
    except ValueError as error:
        raise DroppedError("bad_call_syntax", str(error)) from error
    if text[end:].strip():
        raise DroppedError("bad_call_syntax", f"text after a call: {text[end:].strip()[:60]}")
    return text[:start].strip(), calls


def _start(text: str, names: Sequence[str]) -> int | None:
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    found = re.search(rf"\[\s*(?:{known})\s*\(", text) if known else None
    if found is not None:
        return found.start()
    bare = text.strip()
    return text.index("[") if _ANY_CALL.fullmatch(bare) else None


def _calls(text: str, start: int, names: Sequence[str]) -> tuple[list[Call], int]:
    """The calls from the bracket at `start`, and where the text goes on behind them."""
    calls: list[Call] = []
    at = start + 1
    while True:
        call, at = _call(text, at, names)
        calls.append(call)
        at = _skip_space(text, at)
        if text.startswith("]", at):
            return calls, at + 1
        if not text.startswith(",", at):
            raise ValueError(f"neither a comma nor the end: {text[at : at + 80]!r}")
        at += 1


def _call(text: str, at: int, names: Sequence[str]) -> tuple[Call, int]:
    at = _skip_space(text, at)
    known = [n for n in names if re.match(r"\s*\(", text[at + len(n) :]) and text.startswith(n, at)]
    opened = text.find("(", at + len(max(known, key=len, default="")))
    name = text[at:opened].strip() if opened >= 0 else ""
    if not name:
        raise ValueError(f"not a call: {text[at : at + 80]!r}")
    end = _closing(text, opened)
    arguments = {}
    for part in _parts(text[opened + 1 : end]):
        key, equals, value = part.partition("=")
        key = key.strip().strip(_QUOTES)
        if not equals or not key or key in arguments:
            raise ValueError(f"not an argument: {part[:80]!r}")
        arguments[key] = literal(value)
    return Call(name, arguments), end + 1


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _closing(text: str, at: int) -> int:
    """Where the bracket that is opened at `at` is closed."""
    for index, _, depth in _outside_strings(text, at):
        if depth == 0:
            return index
    raise ValueError(f"a bracket or quote is not closed: {text[at : at + 80]!r}")


def _parts(text: str) -> Iterator[str]:
    """The parts between commas that stand in no bracket and no string."""
    start = 0
    for index, character, depth in _outside_strings(text, 0):
        if character == "," and depth == 0:
            yield text[start:index].strip()
            start = index + 1
    if text[start:].strip():
        yield text[start:].strip()


def _outside_strings(text: str, at: int) -> Iterator[tuple[int, str, int]]:
    """Index and character outside of strings, with how many brackets are then open."""
    quote, skip = "", False
    expected: list[str] = []
    for index in range(at, len(text)):
        character = text[index]
        if skip:
            skip = False
        elif quote:
            skip = character == "\\"
            quote = "" if character == quote else quote
        elif character in _QUOTES:
            quote = character
        else:
            if character in _PAIRS:
                expected.append(_PAIRS[character])
            elif character in ")]}" and (not expected or expected.pop() != character):
                raise ValueError(f"a bracket is closed that was not opened: {text[at:][:80]!r}")
            yield index, character, len(expected)
