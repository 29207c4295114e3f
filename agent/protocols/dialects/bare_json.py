"""Bare JSON: the whole reply is `{"name": ..., "parameters": {...}}`, without tags.

Llama 3.1 to 3.3 write it. What begins like such an object is a call, whether or not it can be read;
any other reply is an answer. Free text before the object is none of this dialect.
"""

from __future__ import annotations

import re
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
from tooldrill.agent.protocols.json_text import Found, Refused, read_object, skip_space
from tooldrill.agent.protocols.untagged import is_untagged_call
from tooldrill.agent.tool import Registry

_BROKEN = re.compile(r"\{\s*[\"']")
_BETWEEN = re.compile(r"\s*[;,]?\s*(?=\{)")


@dataclass(frozen=True)
class BareJson(Usual):
    """One JSON object that is the reply.

    Attributes:
        key: what the arguments are called.
    """

    key: str = "parameters"
    style: JsonStyle = PLAIN_JSON

    name: ClassVar[str] = "bare_json"
    notation: ClassVar[Notation] = "bare"
    marks: ClassVar[tuple[str, str]] = ("", "")
    lead: ClassVar[str | None] = None

    @property
    def shape(self) -> str:
        return f'{{"name": ..., "{self.key}": {{...}}}} and nothing else'

    def find(self, text: str) -> int | None:
        at = skip_space(text, 0)
        if not text.startswith("{", at):
            return None
        found = read_object(text, at)
        if isinstance(found, Found):
            is_call = found.value.keys() == {"name", self.key} or is_untagged_call(text)
        else:
            is_call = _BROKEN.match(text, at) is not None
        return at if is_call else None

    def read(self, text: str, at: int, _registry: Registry | None) -> list[Call] | str:
        calls: list[Call] = []
        while True:
            found = read_object(text, at)
            if isinstance(found, Refused):
                return found.reason
            call = read_call(found.value, "name", self.key)
            if isinstance(call, str):
                return call
            calls.append(call)
            following = _BETWEEN.match(text, found.end)
            if following is None:
                return AFTER_CALL if text[found.end :].strip() else calls
            at = following.end()

    def write(self, calls: Sequence[Call], _registry: Registry | None = None) -> str:
        return "; ".join(
            self.style.dump({"name": call.name, self.key: call.arguments}) for call in calls
        )

    def mend(self, text: str, _registry: Registry | None = None) -> Mended | None:
        calls = mended_calls(text, "name", self.key)
        return None if calls is None else Mended(text[: text.find("{")].split("```", 1)[0], calls)


def variants() -> Iterator[BareJson]:
    """The ways in which templates write it."""
    for style in JSON_STYLES:
        for key in ("parameters", "arguments"):
            yield BareJson(key, style)
