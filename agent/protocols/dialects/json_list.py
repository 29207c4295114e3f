"""A JSON list of calls after a mark: `[TOOL_CALLS][{"name": ..., "arguments": {...}}]`.

Mistral 7B v0.3 and Nemo write it, with an id in each call; others with marks of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from tooldrill.agent.call import Call
from tooldrill.agent.protocols.base import read_call
from tooldrill.agent.protocols.dialects.base import (
    AFTER_CALL,
    JSON_STYLES,
    PLAIN_JSON,
    JsonStyle,
    Mended,
    Notation,
)
from tooldrill.agent.protocols.dialects.call_ids import call_id
from tooldrill.agent.protocols.dialects.mended import mended_calls
from tooldrill.agent.protocols.json_text import Refused, excerpt, read_object, skip_space
from tooldrill.agent.tool import Registry

_MARKS = (
    ("[TOOL_CALLS]", ""),
    ("<tool_calls>", "</tool_calls>"),
    ("<TOOLCALL>", "</TOOLCALL>"),
    ("<|tool_call|>", ""),
)


@dataclass(frozen=True)
class JsonList:
    """A JSON list of objects after a mark.

    Attributes:
        marks: what stands before and after the list.
        ids: each call carries an id, as the last key.
    """

    marks: tuple[str, str] = _MARKS[0]
    ids: bool = False
    style: JsonStyle = PLAIN_JSON

    name: ClassVar[str] = "json_list"
    notation: ClassVar[Notation] = "object"
    lead: ClassVar[str | None] = ""
    untyped: ClassVar[bool] = False

    @property
    def shape(self) -> str:
        return f'{self.marks[0]}[{{"name": ..., "arguments": {{...}}}}]{self.marks[1]}'

    def find(self, text: str) -> int | None:
        at = text.find(self.marks[0])
        return at if at >= 0 else None

    def read(self, text: str, at: int, _registry: Registry | None) -> list[Call] | str:
        opening, closing = self.marks
        at = skip_space(text, at + len(opening))
        if not text.startswith("[", at):
            return f"Write a JSON list after {opening}: {self.shape}."
        calls: list[Call] = []
        while True:
            found = read_object(text, at + 1)
            if isinstance(found, Refused):
                return found.reason
            call = read_call(found.value, "name", "arguments")
            if isinstance(call, str):
                return call
            calls.append(call)
            at = skip_space(text, found.end)
            if not text.startswith(",", at):
                break
        if not text.startswith("]", at):
            return f"Close the list of calls with ]{closing}, not {excerpt(text[at:], 0)}."
        at = skip_space(text, at + 1)
        if not text.startswith(closing, at):
            return f"The call is cut off: {closing} is missing."
        return AFTER_CALL if text[at + len(closing) :].strip() else calls

    def write(self, calls: Sequence[Call], _registry: Registry | None = None) -> str:
        bodies = []
        for number, call in enumerate(calls, 1):
            ids = {"id": call_id(number)} if self.ids else {}
            body = {"name": call.name, "arguments": call.arguments, **ids}
            bodies.append(self.style.dump(body))
        return f"{self.marks[0]}[{', '.join(bodies)}]{self.marks[1]}"

    def mend(self, text: str) -> Mended | None:
        before, mark, body = text.partition(self.marks[0])
        calls = mended_calls(body if mark else text, "arguments")
        return None if calls is None else Mended(before if mark else "", calls)


def variants() -> Iterator[JsonList]:
    """The ways in which templates write it."""
    for style in JSON_STYLES:
        for marks in _MARKS:
            for ids in (False, True):
                yield JsonList(marks, ids, style)
