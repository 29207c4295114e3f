"""Damage to calls that have a tag for every argument."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from tooldrill.data.corrupt.written import (
    Damage,
    Written,
    function_syntax,
    literal,
    prose,
    truncated,
)


class _Tags(NamedTuple):
    """The tags that a damage breaks.

    Attributes:
        function: around the tool's name, which `NAME` stands for.
        end: after the last argument, or nothing.
        parameter: before an argument's name.
        broken: what is left of it.
    """

    function: str
    end: str
    parameter: str
    broken: str


_QWEN = _Tags("<function=NAME>", "</function>", "<parameter=", "<")
_GLM = _Tags("NAME", "", "<arg_key>", "<>")
_MINIMAX = _Tags('<invoke name="NAME">', "</invoke>", '<parameter name="', '<"')


def _stray_comma(tags: _Tags, w: Written) -> str:
    at = w.body.rindex(tags.end) if tags.end else len(w.body)
    return f"{w.before}{w.body[:at]},{w.body[at:]}{w.after}"


def _dictionary(w: Written) -> str:
    return f"{w.before}{ {'name': w.call.name, 'arguments': w.call.arguments}!r}{w.after}"


def _markdown_fence(tags: _Tags, w: Written) -> str:
    # Where a name alone has no tag, the fence stands around the whole.
    fenced = w.body if tags.end else f"{w.before}{w.body}{w.after}"
    return f"```xml\n{fenced}\n```"


def _unclosed(w: Written) -> str:
    return w.before + w.body


def _tags_without_parameter(tags: _Tags, w: Written) -> str:
    broken = w.body.replace(tags.parameter, tags.broken).replace("</parameter>", "</>")
    return w.before + broken + w.after


def _arguments_as_json(tags: _Tags, w: Written) -> str:
    head = tags.function.replace("NAME", w.call.name)
    return f"{w.before}{head}\n{literal(w.call.arguments)}\n{tags.end}{w.after}"


def _damages(tags: _Tags) -> dict[str, Damage]:
    return {
        "truncated": truncated,
        "trailing_comma": partial(_stray_comma, tags),
        "single_quotes": _dictionary,
        "markdown_fence": partial(_markdown_fence, tags),
        "unclosed": _unclosed,
        "prose": prose,
        "function_syntax": function_syntax,
        "flat_arguments": partial(_tags_without_parameter, tags),
        "quoted_arguments": partial(_arguments_as_json, tags),
    }


IN_TAGS, IN_KEYS, IN_INVOKES = map(_damages, (_QWEN, _GLM, _MINIMAX))
