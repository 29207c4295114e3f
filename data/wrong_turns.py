"""Wrong replies put into a trace on purpose, each with what comes back: one way per class.

The answers are the loop's own: the refusal of the same checker, or what the world's session returns
when the call is carried out. Only where the wrong reply ends the episode does a user speak up.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.checker import BLOCKING, check_calls, refusal, rejected_arguments
from tooldrill.agent.environment import Observation
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import observation_message, user
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.catalog import corrupt
from tooldrill.data.corrupt.damage import refusal_of
from tooldrill.data.corrupt.moment import Corruption, Moment
from tooldrill.data.worlds.base import Session

# What the loop refuses and a single reply can do without a history.
REFUSED_CLASSES: tuple[ViolationClass, ...] = tuple(
    kind for kind in ViolationClass if kind in BLOCKING and kind != ViolationClass.STICKY_ARGUMENT
)
_UNKNOWN_ARGUMENT = (ViolationClass.BORROWED_ARGUMENT, ViolationClass.INVENTED_ARGUMENT)
_READABLE = tuple(k for k in REFUSED_CLASSES if k != ViolationClass.MALFORMED_CALL)
# What must have been refused earlier for the class to be possible.
NEEDED_REFUSALS: dict[ViolationClass, tuple[ViolationClass, ...]] = {
    ViolationClass.STICKY_ARGUMENT: _UNKNOWN_ARGUMENT,
    ViolationClass.REPEATED_FAILURE: _READABLE,
    ViolationClass.FABRICATED_SUCCESS: _READABLE,
}
_OBJECTIONS = (
    "That is not done yet.", "I looked: nothing of the kind has happened.", "No, it isn't.",
    "You say so, but I don't see it.", "Hm, it is not there.", "I just checked, it is not done.",
    "That can't be, it looks as before.", "Are you sure? I see no change.",
)  # fmt: skip
_DEMANDS = (
    "Please really do it.", "Do it now, please.", "Go on until it is done.", "Try again.",
    "Please do what I asked.", "Carry on, please.", "",
)  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """A reply and what came back.

    Attributes:
        reply: the assistant message; weight 0 when it is not to be learned.
        answer: the message that came back; None after the conclusion.
        past: how the checker remembers it; None where no call was attempted.
        call: the call of a right reply.
        done: whether a wrong reply carried out what the right one would have.
    """

    reply: Message
    answer: Message | None = None
    past: PastCall | None = None
    call: Call | None = None
    done: bool = False

    @property
    def right(self) -> bool:
        return bool(self.reply.get("weight", 1) != 0)


def wrong_turns(
    kind: ViolationClass, moment: Moment, session: Session, rng: random.Random
) -> list[Turn] | None:
    """The wrong reply of that class, after the refusal that the class needs where none is there.

    Returns:
        None when the class does not apply at this point.
    """
    turns: list[Turn] = []
    needed = NEEDED_REFUSALS.get(kind)
    if needed is not None and not _has_needed(kind, moment):
        first = corrupt(rng.choice(needed), moment, rng)
        if first is None:
            return None
        turns.append(_turn(first, moment, session, rng))
        moment = replace(moment, past=(*moment.past, *_remembered(turns)))
    corruption = corrupt(kind, moment, rng)
    if corruption is None:
        return None
    return [*turns, _turn(corruption, moment, session, rng)]


def _has_needed(kind: ViolationClass, moment: Moment) -> bool:
    if kind is ViolationClass.STICKY_ARGUMENT:
        return bool(moment.refused)
    return moment.last_failed


def _turn(corruption: Corruption, moment: Moment, session: Session, rng: random.Random) -> Turn:
    reply = {**corruption.message, "weight": 0}
    if corruption.message.get("malformed"):
        return Turn(reply, refusal_of(reply), PastCall(Call(""), True))
    calls = [item["function"] for item in corruption.message.get("tool_calls", ())]
    if not calls:
        objection = f"{rng.choice(_OBJECTIONS)} {rng.choice(_DEMANDS)}".rstrip()
        return Turn(reply, user(objection))
    # Of several calls the loop carries out the first.
    call = Call(calls[0]["name"], calls[0]["arguments"])
    violations = check_calls([call], moment.registry, moment.past)
    observation = _observe(call, moment, session)
    past = PastCall(call, observation.error, rejected_arguments(violations))
    done = moment.call is not None and call.fingerprint == moment.call.fingerprint
    return Turn(reply, observation_message(call.name, observation.text), past, done=done)


def _observe(call: Call, moment: Moment, session: Session) -> Observation:
    registry: Registry = moment.registry
    violations = check_calls([call], registry, moment.past)
    if any(violation.kind in BLOCKING for violation in violations):
        return Observation(refusal(violations, registry), error=True)
    return session.call(call.name, call.arguments)


def _remembered(turns: list[Turn]) -> Iterator[PastCall]:
    return (turn.past for turn in turns if turn.past is not None)
