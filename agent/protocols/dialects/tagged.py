"""A tag for every argument: `<tool_call><function=f><parameter=x>value</parameter></function>...`.

Qwen3-Coder and Qwen3.5 write it. Values carry no type: see `typed_text`. A value ends at the first
closing tag, so a text that holds one cannot be written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tooldrill.agent.call import Call
from tooldrill.agent.protocols.dialects.base import AFTER_CALL, Mended, Notation
from tooldrill.agent.protocols.dialects.typed_text import read_text, schema_of, write_text
from tooldrill.agent.protocols.json_text import (
    dump,
    excerpt,
    half_character,
    shorten,
    skip_space,
)
from tooldrill.agent.tool import JsonSchema, Registry

OPEN, CLOSE = "<tool_call>", "</tool_call>"
END_VALUE, END_FUNCTION = "</parameter>", "</function>"
_FUNCTION = re.compile(r"<function=([^<>\n]+)>")
_PARAMETER = re.compile(r"<parameter=([^<>\n]+)>")


@dataclass(frozen=True)
class Tagged:
    """Function and parameters as tags.

    Attributes:
        pad: white space around a value.
        words: whether true, false and null are Python's words or JSON's.
    """

    pad: Literal["\n", ""] = "\n"
    words: Literal["python", "json"] = "python"

    name: ClassVar[str] = "tagged"
    notation: ClassVar[Notation] = "tags"
    shape: ClassVar[str] = (
        f"{OPEN}<function=name><parameter=key>value{END_VALUE}{END_FUNCTION}{CLOSE}"
    )
    marks: ClassVar[tuple[str, str]] = (OPEN, CLOSE)
    lead: ClassVar[str | None] = "\n\n"
    untyped: ClassVar[bool] = True

    def find(self, text: str) -> int | None:
        at = text.find(OPEN)
        return at if at >= 0 else None

    def read(self, text: str, at: int, registry: Registry | None) -> list[Call] | str:
        calls: list[Call] = []
        while True:
            at = skip_space(text, at + len(OPEN))
            function = _FUNCTION.match(text, at)
            if function is None or not function[1].strip():
                return _expected("<function=name>", text, at)
            arguments = self._arguments(text, function.end(), function[1], registry)
            if isinstance(arguments, str):
                return arguments
            values, at = arguments
            calls.append(Call(function[1], values))
            at = skip_space(text, at)
            if not text.startswith(CLOSE, at):
                return _expected(CLOSE, text, at)
            at = skip_space(text, at + len(CLOSE))
            if not text.startswith(OPEN, at):
                return AFTER_CALL if text[at:].strip() else calls

    def _arguments(
        self, text: str, at: int, tool: str, registry: Registry | None
    ) -> tuple[dict[str, Any], int] | str:
        """The arguments from `at` on, and the index after the function's end."""
        values: dict[str, Any] = {}
        while True:
            at = skip_space(text, at)
            if text.startswith(END_FUNCTION, at):
                return values, at + len(END_FUNCTION)
            parameter = _PARAMETER.match(text, at)
            if parameter is None:
                return _expected(f"<parameter=key> or {END_FUNCTION}", text, at)
            end = text.find(END_VALUE, parameter.end())
            if end < 0:
                return f"The call is cut off: {END_VALUE} is missing."
            key, raw = parameter[1], text[parameter.end() : end]
            if key in values:
                return f'Give "{shorten(key)}" only once in a call.'
            if half_character(raw):
                return f'"{shorten(key)}" holds half a character (a lone surrogate).'
            values[key] = read_text(self._unpadded(raw), schema_of(registry, tool, key))
            at = end + len(END_VALUE)

    def _unpadded(self, raw: str) -> str:
        return raw.removeprefix(self.pad).removesuffix(self.pad) if self.pad else raw

    def write(self, calls: Sequence[Call], registry: Registry | None = None) -> str:
        return "\n".join(self._block(call, registry) for call in calls)

    def _block(self, call: Call, registry: Registry | None) -> str:
        lines = [OPEN, f"<function={call.name}>"]
        for key, value in call.arguments.items():
            schema = schema_of(registry, call.name, key) if registry is not None else None
            text = self._value(value, schema, known=registry is not None)
            lines.append(f"<parameter={key}>{self.pad}{text}{self.pad}{END_VALUE}")
        return "\n".join([*lines, END_FUNCTION, CLOSE])

    def _value(self, value: Any, schema: JsonSchema | None, *, known: bool) -> str:
        if isinstance(value, str):
            return (write_text(value, schema) if known else None) or value
        if isinstance(value, list | dict) or self.words == "json":
            return dump(value)
        return str(value)

    def mend(self, _text: str) -> Mended | None:
        return None


def variants() -> Iterator[Tagged]:
    """The ways in which templates write it."""
    pads: tuple[Literal["\n", ""], ...] = ("\n", "")
    words: tuple[Literal["python", "json"], ...] = ("python", "json")
    for pad in pads:
        for word in words:
            yield Tagged(pad, word)


def _expected(what: str, text: str, at: int) -> str:
    if at >= len(text):
        return f"The call is cut off: {what} is missing."
    return f"{what} must stand here, not {excerpt(text[at:], 0)}."
