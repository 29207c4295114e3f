"""Python calls: `<|tool_call_start|>[read_file(path="a", start_line=2)]<|tool_call_end|>`.

LFM2 writes it. Arguments are always named; values are literals (`python_literals`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tooldrill.agent.call import Call
from tooldrill.agent.protocols.dialects.base import AFTER_CALL, Mended, Notation, Usual
from tooldrill.agent.protocols.dialects.mended_python import mended_list
from tooldrill.agent.protocols.dialects.python_literals import read_literal, write_literal
from tooldrill.agent.protocols.json_text import Refused, dump, excerpt, shorten, skip_space
from tooldrill.agent.tool import Registry

OPEN, CLOSE = "<|tool_call_start|>", "<|tool_call_end|>"
_NAME = re.compile(r"[^\s()\[\]{}=,'\"<>]+(?=\()")
_KEY = re.compile(r"([^\s()\[\]{}=,'\"<>]+)\s*=\s*")

Quotes = Literal["double", "single", "python"]
Form = Literal["python", "json"]


@dataclass(frozen=True)
class Pythonic(Usual):
    """A list of Python calls between marks.

    Attributes:
        quotes: around a string that is an argument; `python` is what `repr` gives.
        lists, objects: how those are written.
        words: whether true, false and null are Python's words or JSON's.
    """

    quotes: Quotes = "double"
    lists: Form = "python"
    objects: Form = "python"
    words: Form = "python"

    name: ClassVar[str] = "pythonic"
    notation: ClassVar[Notation] = "python"
    shape: ClassVar[str] = f"{OPEN}[name(key=value, ...)]{CLOSE}"
    marks: ClassVar[tuple[str, str]] = (OPEN, CLOSE)
    lead: ClassVar[str | None] = ""

    def find(self, text: str) -> int | None:
        at = text.find(OPEN)
        return at if at >= 0 else None

    def read(self, text: str, at: int, _registry: Registry | None) -> list[Call] | str:
        at = skip_space(text, at + len(OPEN))
        calls: list[Call] = []
        separator = "["
        while True:
            if not text.startswith(separator, at):
                return _expected(f"{separator} or ]" if calls else "[", text, at)
            at = skip_space(text, at + 1)
            name = _NAME.match(text, at)
            if name is None:
                return _expected("name(key=value)", text, at)
            arguments = _arguments(text, name.end() + 1)
            if isinstance(arguments, str):
                return arguments
            values, at = arguments
            calls.append(Call(name[0], values))
            at = skip_space(text, at)
            if text.startswith("]", at):
                break
            separator = ","
        at = skip_space(text, at + 1)
        if not text.startswith(CLOSE, at):
            return _expected(CLOSE, text, at)
        return AFTER_CALL if text[at + len(CLOSE) :].strip() else calls

    def write(self, calls: Sequence[Call], _registry: Registry | None = None) -> str:
        written = []
        for call in calls:
            given = (f"{key}={self._value(value)}" for key, value in call.arguments.items())
            written.append(f"{call.name}({', '.join(given)})")
        return f"{OPEN}[{', '.join(written)}]{CLOSE}"

    def _value(self, value: Any) -> str:
        match value:
            case str():
                return _quoted(value, self.quotes)
            case list():
                return _formed(value, self.lists, self.quotes)
            case dict():
                return _formed(value, self.objects, self.quotes)
            case bool() | None:
                return _formed(value, self.words, self.quotes)
        return repr(value)

    def mend(self, text: str, registry: Registry | None = None) -> Mended | None:
        found = mended_list(text, self.marks)
        if found is None:
            return None
        before, body = found
        calls = self.read(f"{OPEN}{body}{CLOSE}", 0, registry)
        return None if isinstance(calls, str) else Mended(before, calls)


def variants() -> Iterator[Pythonic]:
    """The ways in which templates write it."""
    quotes: tuple[Quotes, ...] = ("double", "single", "python")
    forms: tuple[Form, ...] = ("python", "json")
    for quote in quotes:
        for lists in forms:
            for objects in forms:
                for words in forms:
                    yield Pythonic(quote, lists, objects, words)


def _arguments(text: str, at: int) -> tuple[dict[str, Any], int] | str:
    """The named arguments from `at`, after the bracket, and the index after its end."""
    values: dict[str, Any] = {}
    at = skip_space(text, at)
    if text.startswith(")", at):
        return values, at + 1
    while True:
        key = _KEY.match(text, at)
        if key is None:
            return _expected("key=value", text, at)
        if key[1] in values:
            return f'Give "{shorten(key[1])}" only once in a call.'
        found = read_literal(text, key.end())
        if isinstance(found, Refused):
            return found.reason
        values[key[1]] = found.value
        at = skip_space(text, found.end)
        if text.startswith(")", at):
            return values, at + 1
        if not text.startswith(",", at):
            return _expected(", or )", text, at)
        at = skip_space(text, at + 1)


def _formed(value: Any, form: Form, quotes: Quotes) -> str:
    if form == "json":
        return dump(value)
    return write_literal(value) if quotes == "double" else repr(value)


def _quoted(value: str, quotes: Quotes) -> str:
    if quotes == "python":
        return repr(value)
    if quotes == "double":
        return dump(value)
    inside = dump(value)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"'{inside}'"


def _expected(what: str, text: str, at: int) -> str:
    if at >= len(text):
        return f"The call is cut off: {what} is missing."
    return f"{what} must stand here, not {excerpt(text[at:], 0)}."
