"""What a corruption operator is given, and what it gives back.

A moment is the point of an episode at which one reply is due, together with the right reply. It
knows nothing of worlds or protocols: a registry and the calls made so far are enough.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol

from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import call_message, conclusion_message
from tooldrill.agent.tool import Registry, Tool
from tooldrill.agent.violation import ViolationClass


@dataclass(frozen=True)
class Moment:
    """A reply is due.

    Attributes:
        registry: the tools offered.
        call: the right call; None when the right reply concludes.
        answer: what the episode concludes with when all is done.
        past: the calls made so far, oldest first.
        needs_calls: False when the task asks for no call at all.
        claim: an untrue conclusion that tempts once the needed call has failed for good.
        following: the right call after this one; None when the conclusion comes then.
        absent_tools: names that exist in the tools' world but are not offered here.
    """

    registry: Registry
    call: Call | None
    answer: str
    past: tuple[PastCall, ...] = ()
    needs_calls: bool = True
    claim: str = ""
    following: Call | None = None
    absent_tools: tuple[str, ...] = ()

    @property
    def right(self) -> Message:
        """The right reply as a neutral message."""
        if self.call is None:
            return conclusion_message(self.answer)
        return call_message(self.call)

    @property
    def tool(self) -> Tool | None:
        """The tool that the right call uses."""
        return None if self.call is None else self.registry.get(self.call.name)

    @property
    def refused(self) -> frozenset[str]:
        """Argument names refused so far: whichever comes back is sticky."""
        return frozenset(name for past in self.past for name in past.rejected_arguments)

    @property
    def last_failed(self) -> bool:
        """Whether the newest observation is an error."""
        return bool(self.past) and self.past[-1].error

    def has_failed(self, call: Call) -> bool:
        """Whether this same call came back as an error before."""
        return any(past.error and past.call.fingerprint == call.fingerprint for past in self.past)


@dataclass(frozen=True)
class Corruption:
    """A wrong reply.

    Attributes:
        kind: the class it violates.
        message: the neutral assistant message.
        variant: which of the class's forms it is (`trailing_comma`, `case`...).
        call: the call it makes; None when it makes none that can be read, or several.
    """

    kind: ViolationClass
    message: Message
    variant: str
    call: Call | None = None

    @classmethod
    def of_call(cls, kind: ViolationClass, call: Call, variant: str) -> Corruption:
        return cls(kind, call_message(call), variant, call)

    @classmethod
    def of_conclusion(cls, kind: ViolationClass, text: str, variant: str) -> Corruption:
        return cls(kind, conclusion_message(text), variant)


class Operator(Protocol):
    """One way to break one rule of the contract."""

    @property
    def kind(self) -> ViolationClass:
        """The class that the operator produces."""
        ...

    def apply(self, moment: Moment, rng: random.Random, /) -> Corruption | None:
        """A corrupted twin of `moment.right`; None where this breach makes no sense."""
        ...
