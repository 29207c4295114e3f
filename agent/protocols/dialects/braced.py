"""Gemma 4's calls: `<|tool_call>call:read_file{path:<|"|>a.txt<|"|>,start_line:2}<tool_call|>`.

Like JSON without its quotes: keys stand bare and in order, strings between marks that nothing
escapes, so a text that holds such a mark, or a key that holds a colon or a bracket, cannot be
written. No free text is shown before a call: the template puts it after the result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from tooldrill.agent.call import Call
from tooldrill.agent.protocols.dialects.base import AFTER_CALL, Mended, Notation, Usual
from tooldrill.agent.protocols.json_text import (
    MAX_DEPTH,
    Refused,
    dump,
    excerpt,
    half_character,
    read_value,
    shorten,
    skip_space,
)
from tooldrill.agent.protocols.thinking import Frame
from tooldrill.agent.tool import Registry

OPEN, CLOSE, QUOTE = "<|tool_call>", "<tool_call|>", '<|"|>'
_HEAD = re.compile(r"call:([^\s{}\[\]<>,:\"]+)\s*(?=\{)")
_KEY = re.compile(r"(?:<\|\"\|>)?([^\s:{}\[\],<>\"](?:[^:{}\[\],<>\"\n]*[^\s:{}\[\],<>\"])?)")
_PLAIN = re.compile(r"[^\s,{}\[\]<>:\"']+")
_WORDS = {"true": True, "false": False, "null": None, "None": None}
_FRAME = Frame(begin=r"<\|channel>thought", end="<channel|>")


class _Value(NamedTuple):
    """A value, and the index of the first character after it."""

    value: Any
    end: int


class _BrokenError(ValueError):
    """No value; its text is the whole sentence."""


@dataclass(frozen=True)
class Braced(Usual):
    """A name and its arguments in braces."""

    name: ClassVar[str] = "gemma"
    notation: ClassVar[Notation] = "arguments"
    shape: ClassVar[str] = f"{OPEN}call:name{{key:value,text:{QUOTE}...{QUOTE}}}{CLOSE}"
    marks: ClassVar[tuple[str, str]] = (OPEN, CLOSE)
    lead: ClassVar[str | None] = None

    @property
    def frame(self) -> Frame:
        """Thinking in a channel of its own."""
        return _FRAME

    def find(self, text: str) -> int | None:
        at = text.find(OPEN)
        return at if at >= 0 else None

    def read(self, text: str, at: int, _registry: Registry | None) -> list[Call] | str:
        calls: list[Call] = []
        while True:
            at = skip_space(text, at + len(OPEN))
            head = _HEAD.match(text, at)
            if head is None:
                return f"A call must be written as {self.shape}, not {excerpt(text[at:], 0)}."
            try:
                arguments = _object(text, head.end(), 0)
            except _BrokenError as error:
                return str(error)
            calls.append(Call(head[1], arguments.value))
            at = skip_space(text, arguments.end)
            if not text.startswith(CLOSE, at):
                return _expected(CLOSE, text, at)
            at = skip_space(text, at + len(CLOSE))
            if not text.startswith(OPEN, at):
                return AFTER_CALL if text[at:].strip() else calls

    def write(self, calls: Sequence[Call], _registry: Registry | None = None) -> str:
        return "".join(f"{OPEN}call:{call.name}{_written(call.arguments)}{CLOSE}" for call in calls)

    def mend(self, _text: str, _registry: Registry | None = None) -> Mended | None:
        # Nothing tells a string that was not closed from the rest of its call.
        return None


def variants() -> Iterator[Braced]:
    """The ways in which templates write it."""
    yield Braced()


def _written(value: Any) -> str:
    match value:
        case str():
            return f"{QUOTE}{value}{QUOTE}"
        case bool():
            return dump(value)
        case dict():
            items = sorted(value.items(), key=lambda item: str(item[0]).lower())
            return f"{{{','.join(f'{key}:{_written(one)}' for key, one in items)}}}"
        case list():
            return f"[{','.join(map(_written, value))}]"
    return str(value)  # as Jinja prints it: null is None


def _value(text: str, at: int, depth: int) -> _Value:
    if depth > MAX_DEPTH:
        raise _BrokenError(f"Nest at most {MAX_DEPTH} levels of objects and lists.")
    if text.startswith(QUOTE, at):
        return _string(text, at)
    if text.startswith("[", at):
        return _list(text, at, depth)
    if text.startswith("{", at):
        return _object(text, at, depth)
    plain = _PLAIN.match(text, at)
    if plain is not None and plain[0] in _WORDS:
        return _Value(_WORDS[plain[0]], plain.end())
    value = read_value(plain[0]) if plain is not None else Refused("")
    if plain is None or isinstance(value, Refused):
        raise _BrokenError(_expected(f"A value, a text between {QUOTE},", text, at))
    return _Value(value, plain.end())


def _string(text: str, at: int) -> _Value:
    start = at + len(QUOTE)
    end = text.find(QUOTE, start)
    if end < 0:
        raise _BrokenError(f"The call is cut off: {QUOTE} is missing.")
    value = text[start:end]
    if half_character(value):
        raise _BrokenError("A string holds half a character (a lone surrogate).")
    return _Value(value, end + len(QUOTE))


def _list(text: str, at: int, depth: int) -> _Value:
    values: list[Any] = []
    at = skip_space(text, at + 1)
    while not text.startswith("]", at):
        at = _after_comma(text, at, "]") if values else at
        value, at = _value(text, at, depth + 1)
        values.append(value)
        at = skip_space(text, at)
    return _Value(values, at + 1)


def _object(text: str, at: int, depth: int) -> _Value:
    values: dict[str, Any] = {}
    at = skip_space(text, at + 1)
    while not text.startswith("}", at):
        at = _after_comma(text, at, "}") if values else at
        key = _KEY.match(text, at)
        if key is None:
            raise _BrokenError(_expected("key:value", text, at))
        if key[1] in values:
            raise _BrokenError(f'Give "{shorten(key[1])}" only once in an object.')
        at = skip_space(text, key.end())
        at = skip_space(text, at + len(QUOTE) * text.startswith(QUOTE, at))
        if not text.startswith(":", at):
            raise _BrokenError(_expected(": after a key", text, at))
        values[key[1]], at = _value(text, skip_space(text, at + 1), depth + 1)
        at = skip_space(text, at)
    return _Value(values, at + 1)


def _after_comma(text: str, at: int, end: str) -> int:
    if not text.startswith(",", at):
        raise _BrokenError(_expected(f", or {end}", text, at))
    return skip_space(text, at + 1)


def _expected(what: str, text: str, at: int) -> str:
    if at >= len(text):
        return f"The call is cut off: {what} is missing."
    return f"{what} must stand here, not {excerpt(text[at:], 0)}."
