"""Damage to the text of a call, so that no protocol can read it.

A damaged turn is stored with the native text as its `content`, `malformed: true`, and a `damage`
record (the call it meant and what was done to its text); the refusal after it is marked
`refuses_damage: true`, because it says what could not be read. `for_protocol` writes both as
another protocol would have them, so that a stored trace stays protocol-neutral. The damage itself
is a function of text: it finds the JSON object by its outermost braces, whatever stands around it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tooldrill.agent.call import Call
from tooldrill.agent.checker import refusal
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import call_message, malformed_message, user
from tooldrill.agent.protocols.base import CallProtocol, is_malformed
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.tool import Registry

STORED_PROTOCOL = "native"
# Keys that may stand beside the arguments without being mistaken for one of them.
_OUTER_KEYS = frozenset({"name", "action", "arguments", "args", "thought", "id", "type"})


class _Written(NamedTuple):
    """A call as a protocol wrote it: the object, what stands around it, and what it meant."""

    before: str
    body: str
    after: str
    call: Call
    cut: float


def damaged_message(call: Call, kind: str, cut: float = 0.6, *, learn: bool = True) -> Message:
    """The turn that means `call` but cannot be read.

    Args:
        call: what the turn means.
        kind: one of `DAMAGES`.
        cut: for `truncated`, the share of the object that is left.
        learn: False gives it weight 0.
    """
    record = {"kind": kind, "name": call.name, "arguments": call.arguments, "cut": cut}
    message = {**malformed_message("", learn=learn), "damage": record}
    return _damaged(message, get_protocol(STORED_PROTOCOL))


def refusal_of(message: Message) -> Message:
    """The observation that answers a damaged turn: a user message, as the loop writes it."""
    return {**user(_refusal(message, get_protocol(STORED_PROTOCOL))), "refuses_damage": True}


def for_protocol(messages: Sequence[Message], protocol: CallProtocol) -> list[Message]:
    """The messages with every damaged turn, and its refusal, as `protocol` would have them.

    Of several calls that were answered, a protocol that cannot read several shows the first: it is
    the one that was carried out. All others, malformed ones without a damage record among them,
    come back unchanged.
    """
    shown: list[Message] = []
    for index, message in enumerate(messages):
        if message.get("refuses_damage") and shown:
            shown.append({**message, "content": _refusal(shown[-1], protocol)})
        elif index + 1 < len(messages) and len(message.get("tool_calls") or ()) > 1:
            shown.append(_readable(message, protocol))
        else:
            shown.append(_damaged(message, protocol))
    return shown


def _readable(message: Message, protocol: CallProtocol) -> Message:
    if not is_malformed(protocol.parse(protocol.write(message))):
        return message
    return {**message, "tool_calls": message["tool_calls"][:1]}


def _damaged(message: Message, protocol: CallProtocol) -> Message:
    record = message.get("damage")
    if not record:
        return message
    call = Call(record["name"], record["arguments"])
    text = protocol.write(call_message(call))
    return {**message, "content": damage(text, call, record["kind"], record["cut"])}


def _refusal(message: Message, protocol: CallProtocol) -> str:
    # What cannot be read names no tool, so no registry is needed to refuse it.
    return refusal(protocol.parse(str(message["content"])).problems, Registry(()))


def applicable(call: Call) -> list[str]:
    """The kinds of damage that make this call unreadable."""
    loose = call.arguments.keys() - _OUTER_KEYS
    return [kind for kind in DAMAGES if loose or kind != "flat_arguments"]


def damage(text: str, call: Call, kind: str, cut: float) -> str:
    """`text`, which writes `call`, damaged."""
    start, end = text.index("{"), text.rindex("}") + 1
    return DAMAGES[kind](_Written(text[:start], text[start:end], text[end:], call, cut))


def _truncated(w: _Written) -> str:
    return w.before + w.body[: max(2, int(len(w.body) * w.cut))].rstrip()


def _trailing_comma(w: _Written) -> str:
    return f"{w.before}{w.body[:-1]},}}{w.after}"


def _single_quotes(w: _Written) -> str:
    return w.before + repr(json.loads(w.body)) + w.after


def _markdown_fence(w: _Written) -> str:
    return f"```json\n{w.body}\n```"


def _unclosed(w: _Written) -> str:
    # The closing tag is lost or, in a protocol without tags, the last brace.
    return w.before + (w.body if w.after.strip() else w.body[:-1])


def _prose(w: _Written) -> str:
    given = " and ".join(f"{name} {_literal(v)}" for name, v in w.call.arguments.items())
    return f"{w.before}I will call {w.call.name}{' with ' + given if given else ''}.{w.after}"


def _function_syntax(w: _Written) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in w.call.arguments.items())
    return f"{w.before}{w.call.name}({given}){w.after}"


def _flat_arguments(w: _Written) -> str:
    outer = json.loads(w.body)
    kept = {key: value for key, value in outer.items() if key != _arguments_key(outer)}
    return w.before + _literal({**kept, **w.call.arguments}) + w.after


def _quoted_arguments(w: _Written) -> str:
    outer = json.loads(w.body)
    return (
        w.before + _literal({**outer, _arguments_key(outer): _literal(w.call.arguments)}) + w.after
    )


def _arguments_key(outer: dict[str, Any]) -> str:
    return next(key for key in ("arguments", "args") if key in outer)


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


DAMAGES: dict[str, Callable[[_Written], str]] = {
    "truncated": _truncated,
    "trailing_comma": _trailing_comma,
    "single_quotes": _single_quotes,
    "markdown_fence": _markdown_fence,
    "unclosed": _unclosed,
    "prose": _prose,
    "function_syntax": _function_syntax,
    "flat_arguments": _flat_arguments,
    "quoted_arguments": _quoted_arguments,
}
