"""Damage to calls in Python's syntax."""

from __future__ import annotations

from tooldrill.data.corrupt.written import Damage, Written, literal, prose, python_call, truncated


def _trailing_comma(w: Written) -> str:
    return f"{w.before}{w.body[:-2]},)]{w.after}"


def _quoted_names(w: Written) -> str:
    given = ", ".join(f"'{name}': {value!r}" for name, value in w.call.arguments.items())
    return f"{w.before}['{w.call.name}'({given})]{w.after}"


def _markdown_fence(w: Written) -> str:
    return f"```tool_code\n{w.body}\n```"


def _unclosed(w: Written) -> str:
    return w.before + w.body


def _without_list(w: Written) -> str:
    return f"{w.before}{python_call(w.call)}{w.after}"


def _by_position(w: Written) -> str:
    given = ", ".join(repr(value) for value in w.call.arguments.values())
    return f"{w.before}[{w.call.name}({given})]{w.after}"


def _arguments_as_json(w: Written) -> str:
    return f"{w.before}[{w.call.name}({literal(w.call.arguments)})]{w.after}"


IN_PYTHON: dict[str, Damage] = {
    "truncated": truncated,
    "trailing_comma": _trailing_comma,
    "single_quotes": _quoted_names,
    "markdown_fence": _markdown_fence,
    "unclosed": _unclosed,
    "prose": prose,
    "function_syntax": _without_list,
    "flat_arguments": _by_position,
    "quoted_arguments": _arguments_as_json,
}
