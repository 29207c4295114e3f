"""A name between marks, then its arguments as JSON: `[TOOL_CALLS]read_file[ARGS]{"path": "a"}`.

Mistral's newer models write it so (Ministral, Devstral, Small 3.2, the last with an id in between);
DeepSeek, Kimi K2 and gpt-oss do with marks of their own (`layouts`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from tooldrill.agent.call import Call
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
from tooldrill.agent.protocols.dialects.layouts import LAYOUTS, MISTRAL, Layout
from tooldrill.agent.protocols.json_text import Refused, excerpt, read_object, skip_space
from tooldrill.agent.protocols.mending import mend_objects
from tooldrill.agent.protocols.thinking import Frame
from tooldrill.agent.tool import Registry

ID = "[CALL_ID]"


@dataclass(frozen=True)
class NamedJson(Usual):
    """The tool's name between marks, then a JSON object.

    Attributes:
        ids: an id stands between name and arguments.
        layout: the marks.
    """

    ids: bool = False
    style: JsonStyle = PLAIN_JSON
    layout: Layout = MISTRAL

    notation: ClassVar[Notation] = "arguments"

    @property
    def name(self) -> str:
        return self.layout.name

    @property
    def shape(self) -> str:
        opening, ending = self.layout.section
        head = self.layout.head("name", ":0" if self.layout.numbered else "")
        return " ".join(f"{opening}{head}{{...}}{self.layout.closing}{ending}".split())

    @property
    def marks(self) -> tuple[str, str]:
        return self.layout.section if self.layout.section[0] else (self.layout.opening, "")

    @property
    def lead(self) -> str | None:
        return self.layout.lead

    @property
    def frame(self) -> Frame:
        return self.layout.frame

    @cached_property
    def _head(self) -> re.Pattern[str]:
        return self.layout.head_pattern()

    @cached_property
    def _begun(self) -> re.Pattern[str]:
        return re.compile(self.layout.begun or re.escape(self.layout.opening))

    def find(self, text: str) -> int | None:
        if self.layout.begun:
            return 0 if self._begun.match(text) else None
        at = text.find(self.marks[0])
        return at if at >= 0 else None

    def read(self, text: str, at: int, _registry: Registry | None) -> list[Call] | str:
        opening, ending = self.layout.section
        closing = self.layout.closing.strip()
        at = skip_space(text, at + len(opening))
        calls: list[Call] = []
        while True:
            head = self._head.match(text, at)
            if head is None:
                return f"A call must be written as {self.shape}, not {excerpt(text[at:], 0)}."
            found = read_object(text, head.end())
            if isinstance(found, Refused):
                return found.reason
            calls.append(Call(_name(head), found.value))
            at = skip_space(text, found.end)
            if not text.startswith(closing, at):
                return _missing(closing, text, at)
            at = skip_space(text, at + len(closing))
            if self._begun.match(text, at) is None:
                break
        if not text.startswith(ending, at):
            return _missing(ending, text, at)
        return AFTER_CALL if text[at + len(ending) :].strip() else calls

    def write(self, calls: Sequence[Call], _registry: Registry | None = None) -> str:
        layout = self.layout
        parts = []
        for number, call in enumerate(calls):
            identity = f":{number}" if layout.numbered else ""
            identity = f"{ID}{call_id(number + 1)}" if self.ids else identity
            arguments = self.style.dump(call.arguments)
            parts.append(f"{layout.head(call.name, identity)}{arguments}{layout.closing}")
        return f"{layout.section[0]}{layout.between.join(parts)}{layout.section[1]}"

    def mend(self, text: str, _registry: Registry | None = None) -> Mended | None:
        heads = list(self._head.finditer(text))
        calls: list[Call] = []
        ends = [*(head.start() for head in heads[1:]), len(text)]
        for head, end in zip(heads, ends, strict=False):
            body = text[head.end() : end]
            # What follows the object is marks and talk; json-repair must not see an object in it.
            values = mend_objects(body.split(self.layout.closing.strip() or "\0", 1)[0])
            if len(values) != 1:
                return None
            calls.append(Call(_name(head), values[0]))
        if not calls:
            return None
        before = text[: heads[0].start()].rstrip().removesuffix(self.layout.section[0])
        return Mended(before, calls)


def variants() -> Iterator[NamedJson]:
    """The ways in which templates write it."""
    for layout in LAYOUTS:
        for style in JSON_STYLES:
            for ids in (False, True) if layout == MISTRAL else (False,):
                yield NamedJson(ids, style, layout)


def _name(head: re.Match[str]) -> str:
    return next(name for name in head.groups() if name)


def _missing(mark: str, text: str, at: int) -> str:
    if at >= len(text):
        return f"The call is cut off: {mark} is missing."
    return f"Write {mark} right after the call's arguments, not {excerpt(text[at:], 0)}."
