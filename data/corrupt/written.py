"""A call as a protocol wrote it, which is what damage is done to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from tooldrill.agent.call import Call


class Written(NamedTuple):
    """A call's text taken apart.

    Attributes:
        before, body, after: the text; the body is what a damage breaks, the rest its marks.
        call: what the text means.
        cut: for `truncated`, the share of the body that is left.
    """

    before: str
    body: str
    after: str
    call: Call
    cut: float


Damage = Callable[[Written], str]


def truncated(w: Written) -> str:
    """Cut off inside the body, as when the tokens ran out."""
    return w.before + w.body[: max(2, int(len(w.body) * w.cut))].rstrip()


def prose(w: Written) -> str:
    """A sentence in the place of the call."""
    given = " and ".join(f"{name} {literal(v)}" for name, v in w.call.arguments.items())
    return f"{w.before}I will call {w.call.name}{' with ' + given if given else ''}.{w.after}"


def function_syntax(w: Written) -> str:
    """The call as a line of Python, between the marks."""
    return f"{w.before}{python_call(w.call)}{w.after}"


def python_call(call: Call) -> str:
    """The call as a line of Python."""
    given = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
    return f"{call.name}({given})"


def literal(value: Any) -> str:
    """The value as JSON."""
    return json.dumps(value, ensure_ascii=False)
