"""What a protocol is: how a reply is read, and how a conversation is laid out for the template.

A conversation is kept protocol-neutral (`tooldrill.agent.messages`); a protocol turns it into the
messages that the chat template renders, and reads the text that comes back. Reading never executes
anything and survives any input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from tooldrill.agent.call import Call, Reply
from tooldrill.agent.episode import Message
from tooldrill.agent.protocols.dialects.base import Notation
from tooldrill.agent.protocols.json_text import shorten, storable
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import Violation, ViolationClass

Tools = list[dict[str, Any]]

EMPTY_REPLY = "The reply is empty: call a tool or give the final answer."
# Keys beside a call's own that say nothing about its arguments.
_HARMLESS_KEYS = frozenset({"thought", "id", "tool_call_id", "type"})


class CallProtocol(Protocol):
    """One way to write a call."""

    name: ClassVar[str]

    @property
    def shape(self) -> str:
        """How a call is written, for messages."""
        ...

    @property
    def notation(self) -> Notation:
        """What a call is made of."""
        ...

    def parse(self, text: str, registry: Registry | None = None, /) -> Reply:
        """Reads one reply: calls, or a conclusion, or the reason in `Reply.problems`.

        Args:
            registry: the tools offered; tells types where the protocol does not write them.
        """
        ...

    def repair(self, text: str, registry: Registry | None = None, /) -> Reply | None:
        """What a malformed reply was meant to be, when only its syntax is at fault.

        Returns:
            The reply with what was mended, `repaired` set and the `malformed_call` still among its
            problems; None when the reply is not malformed or nothing sensible comes out.
        """
        ...

    def write(self, message: Message) -> str:
        """The text of one neutral assistant message, as a disciplined model would write it."""
        ...

    def said(self, message: Message) -> Message:
        """The message as a model has to write it, where a template would write it otherwise."""
        ...

    def to_chat(
        self, messages: Sequence[Message], tools: Tools
    ) -> tuple[list[Message], Tools | None]:
        """The conversation for the chat template, and the tools it is given (None: shown here)."""
        ...


def calls_of(message: Message) -> list[Call]:
    """The calls that an assistant message makes."""
    functions = [item["function"] for item in message.get("tool_calls") or ()]
    return [Call(function["name"], function["arguments"]) for function in functions]


def malformed(text: str, reason: str) -> Reply:
    """A reply that could not be read."""
    problem = Violation(kind=ViolationClass.MALFORMED_CALL, message=reason)
    return Reply(text=storable(text), problems=(problem,))


def is_malformed(reply: Reply) -> bool:
    """Whether the reply could not be read as the protocol says."""
    return any(problem.kind is ViolationClass.MALFORMED_CALL for problem in reply.problems)


def multiple(count: int) -> Violation:
    """More calls than the one a reply may make."""
    return Violation(
        kind=ViolationClass.MULTIPLE_CALLS,
        message=f"One call per reply: {count} were written and only the first was carried out.",
    )


def too_many(calls: Sequence[Call]) -> tuple[Violation, ...]:
    """The problem of several calls; nothing when there is at most one."""
    return (multiple(len(calls)),) if len(calls) > 1 else ()


def reply_from_calls(calls: Sequence[Call]) -> Reply:
    """The reply that made the given calls, for callers that have read them already."""
    return Reply(text="", calls=tuple(calls), problems=too_many(calls))


def read_call(value: dict[str, Any], name_key: str, arguments_key: str) -> Call | str:
    """The call that an object describes, or one sentence saying what is missing."""
    name = value.get(name_key)
    if not isinstance(name, str) or not name.strip():
        return f'Name the tool as a string in "{name_key}".'
    arguments = value.get(arguments_key, {})
    if not isinstance(arguments, dict):
        return f'Write "{arguments_key}" as a JSON object: {{}} when there are none.'
    extra = value.keys() - {name_key, arguments_key} - _HARMLESS_KEYS
    if extra:
        names = shorten(", ".join(sorted(extra)), 200)
        return f'Arguments belong inside "{arguments_key}", not beside it: {names}.'
    return Call(name, arguments)
