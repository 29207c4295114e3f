"""Damage to calls that are JSON: an object that names the tool, or a name and its arguments."""

from __future__ import annotations

import json
import re
from typing import Any

from tooldrill.data.corrupt.written import (
    Damage,
    Written,
    function_syntax,
    literal,
    prose,
    truncated,
)

_ARGUMENT_KEYS = ("arguments", "args", "parameters")


def _trailing_comma(w: Written) -> str:
    return f"{w.before}{w.body[:-1]},}}{w.after}"


def _single_quotes(w: Written) -> str:
    return w.before + repr(json.loads(w.body)) + w.after


def _markdown_fence(w: Written) -> str:
    return f"```json\n{w.body}\n```"


def _unclosed(w: Written) -> str:
    # The closing tag is lost or, in a protocol without tags, the last brace.
    return w.before + (w.body if w.after.strip() else w.body[:-1])


def _flat_arguments(w: Written) -> str:
    outer = json.loads(w.body)
    kept = {key: value for key, value in outer.items() if key != _arguments_key(outer)}
    return w.before + literal({**kept, **w.call.arguments}) + w.after


def _quoted_arguments(w: Written) -> str:
    outer = json.loads(w.body)
    return w.before + literal({**outer, _arguments_key(outer): literal(w.call.arguments)}) + w.after


def _arguments_key(outer: dict[str, Any]) -> str:
    return next(key for key in _ARGUMENT_KEYS if key in outer)


IN_OBJECTS: dict[str, Damage] = {
    "truncated": truncated,
    "trailing_comma": _trailing_comma,
    "single_quotes": _single_quotes,
    "markdown_fence": _markdown_fence,
    "unclosed": _unclosed,
    "prose": prose,
    "function_syntax": function_syntax,
    "flat_arguments": _flat_arguments,
    "quoted_arguments": _quoted_arguments,
}


def _prose_and_object(w: Written) -> str:
    # Without marks a sentence alone would be an answer; before the object it may not stand.
    return f"I will call {w.call.name}.\n{w.body}"


IN_BARE_OBJECTS: dict[str, Damage] = {**IN_OBJECTS, "prose": _prose_and_object}


# Where the body is the arguments alone, `before` ends with the tool's name between its marks.
def _truncated_arguments(w: Written) -> str:
    return w.before + w.body[: max(1, min(len(w.body) - 1, int(len(w.body) * w.cut)))].rstrip()


def _single_quoted_arguments(w: Written) -> str:
    return w.before + (repr(w.call.arguments) if w.call.arguments else "''")


def _trailing_comma_after_arguments(w: Written) -> str:
    return f"{w.before}{w.body[:-1]},}}"


def _fenced_arguments(w: Written) -> str:
    return f"{w.before}```json\n{w.body}\n```"


def _without_name(w: Written, text: str) -> str:
    # Marks may hold the name's letters; after the name itself stands a mark, a number or nothing.
    found = re.search(rf"(?<=[>\].:]){re.escape(w.call.name)}(?=[\[<:\s]|\Z)", w.before)
    return w.before[: found.start() if found else w.before.index(w.call.name)] + text


def _arguments_without_mark(w: Written) -> str:
    return _without_name(w, f"{w.call.name}{w.body}")


def _arguments_as_text(w: Written) -> str:
    return w.before + literal(w.body)


IN_ARGUMENTS: dict[str, Damage] = {
    "truncated": _truncated_arguments,
    "trailing_comma": _trailing_comma_after_arguments,
    "single_quotes": _single_quoted_arguments,
    "markdown_fence": _fenced_arguments,
    "unclosed": _unclosed,
    "prose": lambda w: _without_name(w, prose(w._replace(before="", after=""))),
    "function_syntax": lambda w: _without_name(w, function_syntax(w._replace(before="", after=""))),
    "flat_arguments": _arguments_without_mark,
    "quoted_arguments": _arguments_as_text,
}
