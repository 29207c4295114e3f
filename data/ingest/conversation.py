"""What passes between reading, importing and checking: records, conversations, and drops.

An importer turns one record into one conversation, or says why it cannot. Whether the conversation
keeps to the contract of its own tools is not its business: see `contract`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tooldrill.agent.episode import Message
from tooldrill.agent.tool import Registry


class DroppedError(Exception):
    """The record cannot be used.

    Args:
        reason: a word or two in snake case, the same for the same kind of fault: it is counted.
        detail: what exactly, for the first one of its kind.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Record:
    """One unit of a source: a line, an element, a log.

    Attributes:
        id: where it stands, such as `calls.jsonl:12`.
        value: the JSON value.
        prompt: the request, where it lies beside the record and not in it.
        problem: why there is no value; `not_json` and the like.
    """

    id: str
    value: Any = None
    prompt: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Given:
    """What the user says about records that do not say it themselves.

    Attributes:
        registry: the tools of records that carry none.
        prompt: the request of records that carry none.
        protocol: how calls are written in assistant text; None: text is text.
    """

    registry: Registry | None = None
    prompt: str | None = None
    protocol: str | None = None


@dataclass(frozen=True)
class Conversation:
    """A record as neutral messages (see `tooldrill.agent.messages`).

    Attributes:
        messages: an assistant turn may still make several calls; their observations follow it, in
            the order of the calls. Turns of weight 0 are not to be learned, whatever is in them.
        registry: the tools offered.
        world, template, kind: where the record says them.
        violation: the class of a wrong turn in the context, where the record says it.
    """

    messages: list[Message]
    registry: Registry
    world: str = ""
    template: str = ""
    kind: str = ""
    violation: str = ""


Importer = Callable[[Record, Given], Conversation]
"""One record to one conversation; raises `DroppedError`."""
