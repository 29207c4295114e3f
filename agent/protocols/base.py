"""What a protocol is: how a reply is read, and how a conversation is laid out for the template.

A conversation is kept protocol-neutral (`tooldrill.agent.messages`); a protocol turns it into the
messages that the chat template renders, and reads the text that comes back. Reading never executes
anything and survives any input.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from tooldrill.agent.call import Call, Reply
from tooldrill.agent.episode import Message
from tooldrill.agent.violation import Violation, ViolationClass

Tools = list[dict[str, Any]]


class CallProtocol(Protocol):
    """One way to write a call."""

    name: ClassVar[str]

    def parse(self, text: str) -> Reply:
        """Reads one reply; what cannot be read stands in `Reply.problems`."""
        ...

    def write(self, message: Message) -> str:
        """The text of one neutral assistant message, as a disciplined model would write it."""
        ...

    def to_chat(
        self, messages: Sequence[Message], tools: Tools
    ) -> tuple[list[Message], Tools | None]:
        """The conversation for the chat template, and the tools it is given (None: shown here)."""
        ...


def malformed(text: str, reason: str) -> Reply:
    """A reply that could not be read."""
    problem = Violation(kind=ViolationClass.MALFORMED_CALL, message=reason)
    return Reply(text=text, problems=(problem,))


def multiple(count: int) -> Violation:
    """More calls than the one a reply may make."""
    return Violation(
        kind=ViolationClass.MULTIPLE_CALLS,
        message=f"One call per reply: {count} were written and only the first was carried out.",
    )


def dump(value: Any) -> str:
    """JSON as models write it: spaces after separators, characters unescaped."""
    return json.dumps(value, ensure_ascii=False)


def load_object(text: str) -> dict[str, Any] | str:
    """The JSON object that `text` is, or one sentence saying why it is none."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return f"The call is not valid JSON: {error}."
    if not isinstance(value, dict):
        return "The call must be one JSON object."
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def read_call(value: dict[str, Any], name_key: str, arguments_key: str) -> Call | str:
    """The call that an object describes, or one sentence saying what is missing."""
    name = value.get(name_key)
    if not isinstance(name, str) or not name:
        return f'The call has no "{name_key}".'
    arguments = value.get(arguments_key, {})
    if not isinstance(arguments, dict):
        return f'"{arguments_key}" must be a JSON object.'
    extra = value.keys() - {name_key, arguments_key, "thought", "id", "type"}
    if extra:
        return (
            f'Arguments belong inside "{arguments_key}", not beside it: {", ".join(sorted(extra))}.'
        )
    return Call(name, arguments)
