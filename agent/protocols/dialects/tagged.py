"""A tag for every argument: `<tool_call><function=f><parameter=x>value</parameter></function>...`.

Qwen3-Coder and Qwen3.5 write it so, GLM and MiniMax M2 with tags of their own (`tag_forms`). Values
carry no type: see `typed_text`. A value ends at the first closing tag, so a text that holds one
cannot be written. What a broken call meant is `mended_tags`' work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal

from tooldrill.agent.call import Call
from tooldrill.agent.protocols.dialects.base import AFTER_CALL, Mended, Notation, Usual
from tooldrill.agent.protocols.dialects.mended_tags import mended_tags
from tooldrill.agent.protocols.dialects.tag_forms import GLM, MINIMAX, QWEN, TagForm
from tooldrill.agent.protocols.dialects.typed_text import read_text, schema_of, write_text
from tooldrill.agent.protocols.json_text import (
    dump,
    excerpt,
    half_character,
    shorten,
    skip_space,
)
from tooldrill.agent.tool import JsonSchema, Registry


@dataclass(frozen=True)
class Tagged(Usual):
    """Function and parameters as tags.

    Attributes:
        pad: white space around a value.
        words: whether true, false and null are Python's words or JSON's.
        form: the tags.
        gap: white space between tags.
    """

    pad: Literal["\n", ""] = "\n"
    words: Literal["python", "json"] = "python"
    form: TagForm = QWEN
    gap: Literal["\n", ""] = "\n"

    untyped: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return self.form.name

    @property
    def notation(self) -> Notation:
        return self.form.notation

    @property
    def shape(self) -> str:
        return self.form.shape()

    @property
    def marks(self) -> tuple[str, str]:
        return self.form.section

    @property
    def lead(self) -> str | None:
        return "\n\n" if self.form == QWEN else self.gap

    @property
    def spoken(self) -> Tagged:
        # Jinja writes Python's words, llama-server reads JSON's alone; vLLM and SGLang read both.
        return replace(self, words="json")

    @cached_property
    def _head(self) -> re.Pattern[str]:
        return self.form.head_pattern()

    @cached_property
    def _key(self) -> re.Pattern[str]:
        return self.form.key_pattern()

    def find(self, text: str) -> int | None:
        at = text.find(self.marks[0])
        return at if at >= 0 else None

    def read(self, text: str, at: int, registry: Registry | None) -> list[Call] | str:
        opening, closing = self.form.section
        calls: list[Call] = []
        at = skip_space(text, at + len(opening))
        while True:
            function = self._head.match(text, at)
            if function is None:
                return _expected("name".join(self.form.function), text, at)
            arguments = self._arguments(text, function.end(), function[1], registry)
            if isinstance(arguments, str):
                return arguments
            values, at = arguments
            calls.append(Call(function[1], values))
            at = skip_space(text, at)
            if self.form.shared and self._head.match(text, at):
                continue
            if not text.startswith(closing, at):
                return _expected(closing, text, at)
            at = skip_space(text, at + len(closing))
            if not text.startswith(opening, at):
                return AFTER_CALL if text[at:].strip() else calls
            at = skip_space(text, at + len(opening))

    def _arguments(
        self, text: str, at: int, tool: str, registry: Registry | None
    ) -> tuple[dict[str, Any], int] | str:
        """The arguments from `at` on, and the index after the function's end."""
        form = self.form
        values: dict[str, Any] = {}
        while True:
            at = skip_space(text, at)
            if text.startswith(form.end, at):
                return values, at + len(form.end_function)
            parameter = self._key.match(text, at)
            if parameter is None:
                return _expected(f"{'key'.join(form.parameter[:2])} or {form.end}", text, at)
            end = text.find(form.end_value, parameter.end())
            if end < 0:
                return f"The call is cut off: {form.end_value} is missing."
            key, raw = parameter[1], text[parameter.end() : end]
            if key in values:
                return f'Give "{shorten(key)}" only once in a call.'
            if half_character(raw):
                return f'"{shorten(key)}" holds half a character (a lone surrogate).'
            values[key] = self._value(raw, schema_of(registry, tool, key))
            at = end + len(form.end_value)

    def _value(self, raw: str, schema: JsonSchema | None) -> Any:
        return read_text(raw.removeprefix(self.pad).removesuffix(self.pad), schema)

    def write(self, calls: Sequence[Call], registry: Registry | None = None) -> str:
        if not self.form.shared:
            return self.gap.join(self._block([call], registry) for call in calls)
        return self._block(calls, registry)

    def _block(self, calls: Sequence[Call], registry: Registry | None) -> str:
        """Calls in a section."""
        form = self.form
        opening, closing = form.section
        lines = [opening]
        for call in calls:
            lines.append(call.name.join(form.function))
            for key, value in call.arguments.items():
                schema = schema_of(registry, call.name, key) if registry is not None else None
                text = self._written(value, schema, known=registry is not None)
                before, after, start = form.parameter
                lines += [f"{before}{key}{after}"] if start else []
                lead = start or f"{before}{key}{after}"
                lines.append(f"{lead}{self.pad}{text}{self.pad}{form.end_value}")
            lines += [form.end_function] if form.end_function else []
        if not form.function[0]:
            lines[:2] = ["".join(lines[:2])]
        return self.gap.join([*lines, closing])

    def _written(self, value: Any, schema: JsonSchema | None, *, known: bool) -> str:
        if isinstance(value, str):
            return (write_text(value, schema) if known else None) or value
        if isinstance(value, list | dict) or self.words == "json":
            return dump(value)
        return str(value)

    def mend(self, text: str, registry: Registry | None = None) -> Mended | None:
        return mended_tags(text, self.form, self._value, registry)


def variants() -> Iterator[Tagged]:
    """The ways in which templates write it."""
    pads: tuple[Literal["\n", ""], ...] = ("\n", "")
    words: tuple[Literal["python", "json"], ...] = ("python", "json")
    for pad in pads:
        for word in words:
            yield Tagged(pad, word)
    for gap in pads:
        yield Tagged("", "json", GLM, gap)
    yield Tagged("", "json", MINIMAX)


def _expected(what: str, text: str, at: int) -> str:
    if at >= len(text):
        return f"The call is cut off: {what} is missing."
    return f"{what} must stand here, not {excerpt(text[at:], 0)}."
