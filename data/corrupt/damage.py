"""Damage to the text of a call, so that no protocol can read it.

A damaged turn is stored with the native text as its `content`, `malformed: true`, and a `damage`
record (the call it meant and what was done to its text); the refusal after it is marked
`refuses_damage: true`, because it says what could not be read. `for_protocol` writes both as
another protocol, or another dialect of the native one, would have them, so that a stored trace
stays protocol-neutral. The damage itself is a function of text (`damaged_json`, `damaged_tags`,
`damaged_python`): it finds the call by its outermost marks, whatever stands around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.checker import refusal
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import call_message, malformed_message, user
from tooldrill.agent.protocols.base import CallProtocol, is_malformed
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.protocols.dialects.base import Notation
from tooldrill.agent.reading import read_reply
from tooldrill.agent.tool import Registry
from tooldrill.data.corrupt.damaged_json import IN_ARGUMENTS, IN_BARE_OBJECTS, IN_OBJECTS
from tooldrill.data.corrupt.damaged_python import IN_PYTHON
from tooldrill.data.corrupt.damaged_tags import IN_INVOKES, IN_KEYS, IN_TAGS
from tooldrill.data.corrupt.faithful import InexpressibleError, faithful, needs_registry
from tooldrill.data.corrupt.written import Damage, Written

STORED_PROTOCOL = "native"
# Keys that may stand beside the arguments without being mistaken for one of them.
_OUTER_KEYS = frozenset({"name", "action", "arguments", "args", "thought", "id", "type"})


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


def for_protocol(
    messages: Sequence[Message], protocol: CallProtocol, tools: Sequence[Mapping[str, Any]] = ()
) -> list[Message]:
    """The messages with every damaged turn, and its refusal, as `protocol` would have them.

    Of several calls that were answered, a protocol that cannot read several shows the first: it is
    the one that was carried out. Wrong calls whose wrongness the dialect cannot carry are handled
    by `faithful`. All others, malformed ones without a damage record among them, come back
    unchanged.

    Args:
        tools: those of the conversation, by which some dialects are read.

    Raises:
        InexpressibleError: when a wrong turn would be a right one in the protocol's dialect.
    """
    registry = Registry.from_openai(list(tools)) if needs_registry(protocol) else None
    shown: list[Message] = []
    for index, message in enumerate(messages):
        if message.get("refuses_damage") and shown:
            shown.append({**message, "content": _refusal(shown[-1], protocol, registry)})
        elif index + 1 < len(messages) and len(message.get("tool_calls") or ()) > 1:
            shown.append(_readable(message, protocol))
        else:
            shown.append(_damaged(message, protocol, registry))
    return shown


def is_expressible(row: Mapping[str, Any], protocol: CallProtocol) -> bool:
    """Whether every wrong turn of a row, or of either side of a pair, is wrong in the protocol."""
    if not needs_registry(protocol):
        return True
    sides = ("chosen", "rejected") if "prompt" in row else ("messages",)
    try:
        for side in sides:
            for_protocol([*row.get("prompt", ()), *row[side]], protocol, row["tools"])
    except InexpressibleError:
        return False
    return True


def _readable(message: Message, protocol: CallProtocol) -> Message:
    if not is_malformed(protocol.parse(protocol.write(message))):
        return message
    return {**message, "tool_calls": message["tool_calls"][:1]}


def _damaged(message: Message, protocol: CallProtocol, registry: Registry | None = None) -> Message:
    record = message.get("damage")
    if not record:
        return message if registry is None else faithful(message, protocol, registry)
    call = Call(record["name"], record["arguments"])
    text = protocol.write(call_message(call))
    broken = damage(text, call, record["kind"], record["cut"], protocol.notation)
    if registry is not None and not is_malformed(read_reply(broken, protocol, registry)):
        raise InexpressibleError(f"{call.name} damaged ({record['kind']})", protocol.shape)
    return {**message, "content": broken}


def _refusal(message: Message, protocol: CallProtocol, registry: Registry | None = None) -> str:
    # What cannot be read names no tool; most protocols need no registry to refuse it.
    registry = registry or Registry(())
    return refusal(read_reply(str(message["content"]), protocol, registry).problems, Registry(()))


def applicable(call: Call) -> list[str]:
    """The kinds of damage that make this call unreadable."""
    loose = call.arguments.keys() - _OUTER_KEYS
    return [kind for kind in DAMAGES if loose or kind != "flat_arguments"]


def damage(text: str, call: Call, kind: str, cut: float, notation: Notation = "object") -> str:
    """`text`, which writes `call` in that notation, damaged."""
    start, end = _body(text, notation)
    return _IN[notation][kind](Written(text[:start], text[start:end], text[end:], call, cut))


def _body(text: str, notation: Notation) -> tuple[int, int]:
    """Where what is damaged begins and ends: the call without its marks."""
    if notation == "keys":  # the name stands right after the mark
        start, end = text.index("<tool_call>") + len("<tool_call>"), text.rindex("</tool_call>")
        return start, len(text[:end].rstrip())
    first, last = _ENDS[notation]
    return text.index(first), text.rindex(last) + len(last)


_ENDS: dict[Notation, tuple[str, str]] = {
    "object": ("{", "}"),
    "bare": ("{", "}"),
    "arguments": ("{", "}"),
    "tags": ("<function=", "</function>"),
    "invokes": ("<invoke name=", "</invoke>"),
    "python": ("[", "]"),
}
_IN: dict[Notation, dict[str, Damage]] = {
    "object": IN_OBJECTS,
    "bare": IN_BARE_OBJECTS,
    "arguments": IN_ARGUMENTS,
    "tags": IN_TAGS,
    "keys": IN_KEYS,
    "invokes": IN_INVOKES,
    "python": IN_PYTHON,
}
DAMAGES = tuple(IN_OBJECTS)
