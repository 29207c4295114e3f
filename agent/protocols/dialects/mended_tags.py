"""What a broken call in tags was meant to be: closing tags that are missing, talk around it.

Only tags are put back. Text that stands where an argument must stand is not guessed at, and neither
is an argument's name that was cut off.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.json_schema import JsonSchema
from tooldrill.agent.protocols.dialects.base import Mended
from tooldrill.agent.protocols.dialects.tag_forms import TagForm
from tooldrill.agent.protocols.dialects.typed_text import schema_of
from tooldrill.agent.protocols.json_text import half_character
from tooldrill.agent.tool import Registry

Value = Callable[[str, JsonSchema | None], Any]
_STRAY = re.compile(r"[\s,;]*")


def mended_tags(text: str, form: TagForm, value: Value, registry: Registry | None) -> Mended | None:
    """The calls of a malformed text; None where nothing sensible comes out.

    Args:
        value: what a text between tags stands for, given its schema.
    """
    opening = form.section[0]
    head = form.head_pattern().pattern
    # A name without tags of its own is one only after the section's opening.
    lead = re.escape(opening) + r"\s*" if not form.function[0] else ""
    heads = list(re.finditer(lead + head, text))
    calls: list[Call] = []
    ends = [*(head.start() for head in heads[1:]), len(text)]
    for begun, end in zip(heads, ends, strict=False):
        body = text[begun.end() : end]
        arguments = _arguments(body, form, partial(_typed, value, registry, begun[1]))
        if arguments is None:
            return None
        calls.append(Call(begun[1], arguments))
    if not calls:
        return None
    before = text[: heads[0].start()].rstrip().removesuffix(opening)
    return Mended(before.split("```", 1)[0], calls)


def _arguments(body: str, form: TagForm, value: Callable[[str, str], Any]) -> dict[str, Any] | None:
    """The arguments from the beginning of a call's body on."""
    key = form.key_pattern()
    values: dict[str, Any] = {}
    at = _past(body, 0)
    while (parameter := key.match(body, at)) is not None:
        following = key.search(body, parameter.end())
        last = following.start() if following else len(body)
        end = body.find(form.end_value, parameter.end(), last)
        at = end + len(form.end_value)
        if end < 0:
            ends = (body.find(mark, parameter.end(), last) for mark in (form.end, form.section[1]))
            at = end = min((one for one in ends if one >= 0), default=last)
        raw = body[parameter.end() : end]
        if end == len(body):
            raw = _without_beginning(raw, form.end_value)
        if parameter[1] in values or half_character(raw):
            return None
        values[parameter[1]] = value(raw, parameter[1])
        at = _past(body, at)
    rest = body[at:]
    return values if not rest or rest.startswith((form.end, form.section[1], "```")) else None


def _typed(value: Value, registry: Registry | None, tool: str, raw: str, key: str) -> Any:
    return value(raw, schema_of(registry, tool, key))


def _without_beginning(raw: str, mark: str) -> str:
    """A text that was cut off, without the part of the mark that had been written."""
    parts = (mark[:length] for length in range(len(mark) - 1, 0, -1))
    return raw.removesuffix(next((part for part in parts if raw.endswith(part)), ""))


def _past(text: str, at: int) -> int:
    """Index of the first character that is more than white space and stray commas."""
    match = _STRAY.match(text, at)
    return match.end() if match else at
