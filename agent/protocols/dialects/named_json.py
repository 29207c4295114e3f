"""A name, then its arguments as JSON: `[TOOL_CALLS]read_file[ARGS]{"path": "a"}`.

Mistral's newer models write it (Ministral, Devstral, Small 3.2, the last with an id in between).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from tooldrill.agent.call import Call
from tooldrill.agent.protocols.dialects.base import (
    AFTER_CALL,
    JSON_STYLES,
    PLAIN_JSON,
    JsonStyle,
    Mended,
    Notation,
)
from tooldrill.agent.protocols.dialects.call_ids import call_id
from tooldrill.agent.protocols.json_text import Refused, excerpt, read_object, skip_space
from tooldrill.agent.tool import Registry

OPEN, ID, ARGUMENTS = "[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"
_HEAD = re.compile(r"\[TOOL_CALLS\]\s*([^\[\]{}\s]+)\s*(?:\[CALL_ID\]\s*\w*\s*)?\[ARGS\]")


@dataclass(frozen=True)
class NamedJson:
    """The tool's name between marks, then a JSON object.

    Attributes:
        ids: an id stands between name and arguments.
    """

    ids: bool = False
    style: JsonStyle = PLAIN_JSON

    name: ClassVar[str] = "named_json"
    notation: ClassVar[Notation] = "arguments"
    shape: ClassVar[str] = f"{OPEN}name{ARGUMENTS}{{...}}"
    marks: ClassVar[tuple[str, str]] = (OPEN, "")
    lead: ClassVar[str | None] = ""
    untyped: ClassVar[bool] = False

    def find(self, text: str) -> int | None:
        at = text.find(OPEN)
        return at if at >= 0 else None

    def read(self, text: str, at: int, _registry: Registry | None) -> list[Call] | str:
        calls: list[Call] = []
        while True:
            head = _HEAD.match(text, at)
            if head is None:
                return f"A call must be written as {self.shape}, not {excerpt(text[at:], 0)}."
            found = read_object(text, head.end())
            if isinstance(found, Refused):
                return found.reason
            calls.append(Call(head[1], found.value))
            at = skip_space(text, found.end)
            if not text.startswith(OPEN, at):
                return AFTER_CALL if text[at:].strip() else calls

    def write(self, calls: Sequence[Call], _registry: Registry | None = None) -> str:
        parts = []
        for number, call in enumerate(calls, 1):
            mark = f"{ID}{call_id(number)}" if self.ids else ""
            parts.append(f"{OPEN}{call.name}{mark}{ARGUMENTS}{self.style.dump(call.arguments)}")
        return "".join(parts)

    def mend(self, _text: str) -> Mended | None:
        return None


def variants() -> Iterator[NamedJson]:
    """The ways in which templates write it."""
    for style in JSON_STYLES:
        for ids in (False, True):
            yield NamedJson(ids, style)
