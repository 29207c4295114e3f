"""Damage to calls that have a tag for every argument."""

from __future__ import annotations

from tooldrill.data.corrupt.written import (
    Damage,
    Written,
    function_syntax,
    literal,
    prose,
    truncated,
)

_END = "</function>"


def _stray_comma(w: Written) -> str:
    at = w.body.rindex(_END)
    return f"{w.before}{w.body[:at]},{w.body[at:]}{w.after}"


def _dictionary(w: Written) -> str:
    return f"{w.before}{ {'name': w.call.name, 'arguments': w.call.arguments}!r}{w.after}"


def _markdown_fence(w: Written) -> str:
    return f"```xml\n{w.body}\n```"


def _unclosed(w: Written) -> str:
    return w.before + w.body


def _tags_without_parameter(w: Written) -> str:
    return w.before + w.body.replace("<parameter=", "<").replace("</parameter>", "</>") + w.after


def _arguments_as_json(w: Written) -> str:
    body = f"<function={w.call.name}>\n{literal(w.call.arguments)}\n{_END}"
    return w.before + body + w.after


IN_TAGS: dict[str, Damage] = {
    "truncated": truncated,
    "trailing_comma": _stray_comma,
    "single_quotes": _dictionary,
    "markdown_fence": _markdown_fence,
    "unclosed": _unclosed,
    "prose": prose,
    "function_syntax": function_syntax,
    "flat_arguments": _tags_without_parameter,
    "quoted_arguments": _arguments_as_json,
}
