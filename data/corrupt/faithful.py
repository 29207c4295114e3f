"""Wrong calls in dialects that cannot carry every wrong value.

Where arguments carry no types, `count="3"` and `count=3` are the same text, and a reply that is
stored as wrong would be shown as right. Such a turn is written with the value in quotes, which
reads as the string it is; where that is no way out either, the row cannot be told in the dialect.
"""

from __future__ import annotations

from collections.abc import Sequence

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol, calls_of
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import ViolationClass


class InexpressibleError(TooldrillError):
    """A wrong turn that the dialect has no way to write."""

    def __init__(self, turn: str, shape: str) -> None:
        super().__init__(
            f"{turn} is no violation when written as {shape}",
            "leave the row out, or train with another chat template",
        )


def needs_registry(protocol: CallProtocol) -> bool:
    """Whether what the protocol writes must be read back before it is known to be wrong.

    What was generated was checked in Hermes' dialect and in `react_json`.
    """
    return isinstance(protocol, Native) and protocol.dialect.name != "hermes"


def faithful(message: Message, protocol: CallProtocol, registry: Registry) -> Message:
    """The turn, so written that reading it back finds the violations that its calls have.

    Raises:
        InexpressibleError: when there is no such way.
    """
    calls = calls_of(message)
    if not calls or not isinstance(protocol, Native) or not protocol.dialect.untyped:
        return message
    meant = _violations(calls, registry)
    plain = protocol.write(message)
    if not meant or _found(plain, protocol, registry) == meant:
        return message
    thought = str(message.get("content") or "")
    quoted = protocol.join(thought, protocol.dialect.write(calls, registry))
    if _found(quoted, protocol, registry) != meant:
        raise InexpressibleError(calls[0].name, protocol.shape)
    kept = {key: value for key, value in message.items() if key != "tool_calls"}
    return {**kept, "content": quoted}


def _violations(calls: Sequence[Call], registry: Registry) -> list[ViolationClass]:
    return [violation.kind for violation in check_calls(calls, registry)]


def _found(text: str, protocol: CallProtocol, registry: Registry) -> list[ViolationClass]:
    return _violations(protocol.parse(text, registry).calls, registry)
