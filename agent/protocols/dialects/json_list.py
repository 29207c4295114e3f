"""A JSON list of calls after a mark: `[TOOL_CALLS][{"name": ..., "arguments": {...}}]`.

Mistral 7B v0.3 and Nemo write it, with an id in each call; others with marks of their own, and
Cohere's Command R7B and A with keys of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
    Usual,
)
from tooldrill.agent.protocols.dialects.call_ids import call_id
from tooldrill.agent.protocols.dialects.mended import mended_calls
from tooldrill.agent.protocols.json_text import Refused, excerpt, read_object, skip_space
from tooldrill.agent.protocols.thinking import PLAIN, Frame
from tooldrill.agent.tool import Registry

_MARKS = (
    ("[TOOL_CALLS]", ""),
    ("<tool_calls>", "</tool_calls>"),
    ("<TOOLCALL>", "</TOOLCALL>"),
    ("<|tool_call|>", ""),
)


@dataclass(frozen=True, repr=False)
class ListForm:
    """How the objects of a list are laid out.

    Attributes:
        name: the dialect's.
        keys: what the tool's name and the arguments are called.
        number: the key of a call's number, which then comes first; "" without one.
        gap: white space before an object; last: before the list's end.
        lead, frame: see `Dialect`.
    """

    name: str = "json_list"
    keys: tuple[str, str] = ("name", "arguments")
    number: str = ""
    gap: str = ""
    last: str = ""
    lead: str | None = ""
    frame: Frame = field(default=PLAIN)

    def __repr__(self) -> str:
        return self.name


OPENAI = ListForm()
# Command R7B and A. Nothing stands between the thinking and a call, or around them.
COHERE = ListForm(
    "cohere",
    ("tool_name", "parameters"),
    "tool_call_id",
    gap="\n    ",
    last="\n",
    lead=None,
    frame=Frame(
        begin=r"<\|START_THINKING\|>",
        end="<|END_THINKING|>",
        opened=True,
        answer=(r"<\|START_(?:RESPONSE|TEXT)\|>", r"<\|END_(?:RESPONSE|TEXT)\|>"),
        marks=r"<\|(?:START|END)_(?:THINKING|ACTION|RESPONSE|TEXT)\|>",
    ),
)


@dataclass(frozen=True)
class JsonList(Usual):
    """A JSON list of objects after a mark.

    Attributes:
        marks: what stands before and after the list.
        ids: each call carries an id, as the last key.
        form: what the objects hold.
    """

    marks: tuple[str, str] = _MARKS[0]
    ids: bool = False
    style: JsonStyle = PLAIN_JSON
    form: ListForm = OPENAI

    notation: ClassVar[Notation] = "object"

    @property
    def name(self) -> str:
        return self.form.name

    @property
    def lead(self) -> str | None:
        return self.form.lead

    @property
    def frame(self) -> Frame:
        return self.form.frame

    @property
    def shape(self) -> str:
        name, arguments = self.form.keys
        return f'{self.marks[0]}[{{"{name}": ..., "{arguments}": {{...}}}}]{self.marks[1]}'

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
            call = read_call(found.value, *self.form.keys)
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
        form = self.form
        bodies = []
        for number, call in enumerate(calls):
            first = {form.number: str(number)} if form.number else {}
            last = {"id": call_id(number + 1)} if self.ids else {}
            body = dict(zip(form.keys, (call.name, call.arguments), strict=True))
            bodies.append(form.gap + self.style.dump({**first, **body, **last}))
        separator = "," if form.gap else ", "
        return f"{self.marks[0]}[{separator.join(bodies)}{form.last}]{self.marks[1]}"

    def mend(self, text: str, _registry: Registry | None = None) -> Mended | None:
        before, mark, body = text.partition(self.marks[0])
        calls = mended_calls(body if mark else text, *self.form.keys)
        return None if calls is None else Mended(before if mark else "", calls)


def variants() -> Iterator[JsonList]:
    """The ways in which templates write it."""
    for style in JSON_STYLES:
        for marks in _MARKS:
            for ids in (False, True):
                yield JsonList(marks, ids, style)
        yield JsonList(("<|START_ACTION|>", "<|END_ACTION|>"), False, style, COHERE)
