"""Harvested examples as rows of the SFT and DPO sets, and as moments for the corruptions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tooldrill.agent import messages
from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.checker import check_calls, refusal, rejected_arguments
from tooldrill.agent.episode import Message
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.catalog import corrupt
from tooldrill.data.corrupt.damage import refusal_of
from tooldrill.data.corrupt.moment import Moment
from tooldrill.data.harvest.single import Single
from tooldrill.data.tasks.task import TaskKind

WORLD = "harvest"  # what stands in the `world` column
# What must have been refused earlier for the class to be possible.
_UNKNOWN = (ViolationClass.BORROWED_ARGUMENT, ViolationClass.INVENTED_ARGUMENT)
_REFUSED = (
    *_UNKNOWN, ViolationClass.UNKNOWN_TOOL, ViolationClass.MISSING_ARGUMENT,
    ViolationClass.WRONG_TYPE, ViolationClass.INVALID_VALUE,
)  # fmt: skip
_NEEDED: dict[ViolationClass, Sequence[ViolationClass]] = {
    ViolationClass.STICKY_ARGUMENT: _UNKNOWN,
    ViolationClass.REPEATED_FAILURE: _REFUSED,
    ViolationClass.FABRICATED_SUCCESS: _REFUSED,
}


def to_row(single: Single, trace_id: str) -> dict[str, Any]:
    """The example as a row of the SFT set, in the shape of `Trace.row`."""
    return {
        "messages": [*_prompt(single), moment(single).right],
        "tools": single.registry.to_openai(),
        "trace_id": trace_id,
        "world": WORLD,
        "split": str(single.split),
        "template": single.template,
        "kind": str(single.kind),
        "violation": _history_violation(single),
        "source": "harvest",
    }


def moment(single: Single) -> Moment:
    """The point at which the reply is due."""
    return Moment(
        registry=single.registry,
        call=single.call,
        answer=single.answer,
        past=single.past,
        needs_calls=single.call is not None,
        absent_tools=single.absent_tools,
    )


def refused_once(
    single: Single, rng: random.Random, kinds: Sequence[ViolationClass] = _REFUSED
) -> Single | None:
    """The example after a first try that was refused: about recovery.

    Args:
        kinds: classes of the first try's violation; one that applies is taken.

    Returns:
        None when none applies, or nothing was to be called.
    """
    if single.call is None or single.history:
        return None
    for kind in rng.sample(list(kinds), len(kinds)):
        corruption = corrupt(kind, moment(single), rng)
        if corruption is None:
            continue
        wrong = {**corruption.message, "weight": 0}
        if corruption.call is None:
            answer, past = refusal_of(wrong), PastCall(Call(""), True)
        else:
            found = check_calls([corruption.call], single.registry)
            text = refusal(found, single.registry)
            answer = messages.observation_message(corruption.call.name, text)
            past = PastCall(corruption.call, True, rejected_arguments(found))
        return replace(single, history=(wrong, answer), past=(past,), kind=TaskKind.RECOVER)
    return None


def harvest_pair(
    rng: random.Random, single: Single, kind: ViolationClass, trace_id: str = ""
) -> dict[str, Any] | None:
    """The right reply and its corrupted twin, in the shape of a row of the DPO set.

    Classes that need an error in the history get one.

    Returns:
        None where the class does not apply.
    """
    needed = _NEEDED.get(kind)
    begun = single
    if needed is not None and not single.history:
        refused = refused_once(single, rng, needed)
        if refused is None:
            return None
        begun = refused
    due = moment(begun)
    corruption = corrupt(kind, due, rng)
    if corruption is None:
        return None
    return {
        "prompt": _prompt(begun),
        "chosen": [due.right],
        "rejected": [corruption.message],
        "tools": begun.registry.to_openai(),
        "trace_id": trace_id,
        "world": WORLD,
        "split": str(begun.split),
        "template": begun.template,
        "kind": str(begun.kind),
        "violation": str(corruption.kind),
        "variant": corruption.variant,
        "source": "harvest",
    }


def _prompt(single: Single) -> list[Message]:
    return [messages.user(single.prompt), *single.history]


def _history_violation(single: Single) -> str:
    found = (v for past in single.past for v in check_calls([past.call], single.registry))
    return str(next((violation.kind for violation in found), ""))
