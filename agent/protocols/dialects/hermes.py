"""Hermes: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, one pair of tags per call.

Qwen 2.5 and 3, Granite 4, Hermes and the bundled templates write it.
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
    Usual,
)
from tooldrill.agent.protocols.dialects.mended import mended_calls
from tooldrill.agent.protocols.json_text import Refused, excerpt, read_object, skip_space
from tooldrill.agent.protocols.untagged import find_call_object
from tooldrill.agent.tool import Registry

OPEN, CLOSE = "<tool_call>", "</tool_call>"


@dataclass(frozen=True)
class Hermes(Usual):
    """One JSON object between tags.

    Attributes:
        inside: white space between a tag and the object.
    """

    inside: str = ""
    style: JsonStyle = PLAIN_JSON

    name: ClassVar[str] = "hermes"
    notation: ClassVar[Notation] = "object"
    shape: ClassVar[str] = f'{OPEN}{{"name": ..., "arguments": {{...}}}}{CLOSE}'
    marks: ClassVar[tuple[str, str]] = (OPEN, CLOSE)
    lead: ClassVar[str | None] = "\n"

    def find(self, text: str) -> int | None:
        at = text.find(OPEN)
        return at if at >= 0 else None

    def read(self, text: str, at: int, _registry: Registry | None) -> list[Call] | str:
        # An object ends where its JSON ends, so that a tag inside an argument is data.
        calls: list[Call] = []
        while True:
            found = read_object(text, at + len(OPEN))
            if isinstance(found, Refused):
                return found.reason
            call = read_call(found.value, "name", "arguments")
            if isinstance(call, str):
                return call
            calls.append(call)
            at = skip_space(text, found.end)
            if not text.startswith(CLOSE, at):
                if at == len(text):
                    return f"The call is cut off: {CLOSE} is missing."
                return f"Write {CLOSE} right after the call's object, not {excerpt(text[at:], 0)}."
            at = skip_space(text, at + len(CLOSE))
            if not text.startswith(OPEN, at):
                return AFTER_CALL if text[at:].strip() else calls

    def write(self, calls: Sequence[Call], _registry: Registry | None = None) -> str:
        bodies = (
            self.style.dump({"name": call.name, "arguments": call.arguments}) for call in calls
        )
        return "\n".join(f"{OPEN}{self.inside}{body}{self.inside}{CLOSE}" for body in bodies)

    def mend(self, text: str, _registry: Registry | None = None) -> Mended | None:
        before, bodies = _broken_bodies(text)
        calls: list[Call] = []
        for body in bodies:
            mended = mended_calls(body, "name", "arguments")
            if mended is None:
                return None
            calls.extend(mended)
        return Mended(before, calls)


def variants() -> Iterator[Hermes]:
    """The ways in which templates write it."""
    for style in JSON_STYLES:
        for inside in ("", "\n", " "):
            yield Hermes(inside, style)


def _broken_bodies(text: str) -> tuple[str, list[str]]:
    """The free text before the first call, and what each call's object seems to be.

    With tags, what stands between them; without an opening tag, what ends at the closing one.
    """
    if OPEN in text:
        before, *bodies = text.split(OPEN)
        return before, [part for body in bodies if (part := body.split(CLOSE, 1)[0]).strip()]
    if CLOSE in text:
        text = text.split(CLOSE, 1)[0]
    at = find_call_object(text)
    if at is None:
        at = len(text) if text.lstrip()[:1] not in ("{", "[", "`") else max(0, text.find("{"))
    return text[:at].split("```", 1)[0], [text[at:]]
