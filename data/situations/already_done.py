"""Nothing is left to do: the state already is what the user asks for.

Either the world says so itself (a call fails because the thing is there already), or a lookup shows
it. The right ending says that it is so and changes nothing.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterator
from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.environment import Observation
from tooldrill.agent.episode import CallRecord
from tooldrill.agent.tool import Registry
from tooldrill.data.situations.scene import is_plain, play, staged, turn
from tooldrill.data.tasks.solve import offered, open_task, says
from tooldrill.data.tasks.task import Task, TaskKind

NAME = "already_done"

# How tools say that a thing is there.
_ALREADY = re.compile(r"\balready\b|\bexists\b|\bthere is an?\b|\bis taken\b", re.IGNORECASE)
_MOST_LOOKS = 4


def situation(task: Task, rng: random.Random) -> Task | None:
    """The task in a world where it has been done."""
    if not is_plain(task) or task.answer_contains:
        return None
    played = play(task)
    if not played[-1].changed or any(one.changed for one in played[:-1]):
        return None  # Looked up first and then done, or done at once: nothing else is judged here.
    finished = task.model_copy(
        update={"prior": task.oracle[-1:], "answer_mentions": list(_SO_IT_IS)}
    )
    again = _once_more(finished)
    if again is None:
        return None
    right, looked, tried = task.calls[-1], again[:-1], again[-1]
    changes: dict[str, Any] = {"answer": _answer(rng, right)}
    if looked and looked[-1] != played[-2].observation and _says(looked[-1].text, right):
        return staged(finished, NAME, oracle=task.oracle[:-1], **changes)
    if not tried.error:
        look = _telling_look(task, finished, right, rng)
        if look is None:
            return None
        return staged(finished, NAME, oracle=[*task.oracle[:-1], look], **changes)
    if not _ALREADY.search(tried.text):
        return None
    # The call was right as far as anybody could know: it is learned.
    pairs = zip(task.calls, again, strict=True)
    changes["history"] = [m for call, seen in pairs for m in turn(call, seen.text)]
    if _says(tried.text, right):
        return staged(finished, NAME, kind=TaskKind.STOP, oracle=[], **changes)
    # Something of that name is there: only a look can tell whether it is what was asked for.
    look = _telling_look(task, finished, right, rng)
    if look is None:
        return None
    return staged(finished, NAME, kind=TaskKind.RECOVER, oracle=[look], **changes)


def _once_more(finished: Task) -> list[Observation] | None:
    """What the oracle's calls bring where they have been made.

    None where they change something even so: then it is not done, or was to be done once more.
    """
    with open_task(finished) as opened:
        start = opened.session.snapshot()
        seen = [opened.session.call(call.name, call.arguments) for call in finished.calls]
        if opened.session.snapshot() != start or any(one.error for one in seen[:-1]):
            return None
    return seen


def _says(text: str, right: Call, known: Collection[str] = ()) -> bool:
    """Whether a text says every value of the call, but for switches and arguments in `known`."""
    values = [v for name, v in right.arguments.items() if name not in known]
    # An id may be a number in the call and part of a sentence in the text; a switch is never said.
    told = [str(v).strip() for v in values if not isinstance(v, bool)]
    return bool(told) and says(text, told)


def _telling_look(task: Task, finished: Task, right: Call, rng: random.Random) -> CallRecord | None:
    """A lookup that shows the difference between done and not done; None when none is offered."""
    for call in _looks(right, offered(task), rng):
        with open_task(finished) as opened:
            start = opened.session.snapshot()
            seen = opened.session.call(call.name, call.arguments)
            harmless = opened.session.snapshot() == start
        if seen.error or not harmless or not _says(seen.text, right, call.arguments):
            continue
        with open_task(task) as opened:
            before = opened.session.call(call.name, call.arguments)
        if before != seen:
            return CallRecord(name=call.name, arguments=call.arguments)
    return None


def _looks(right: Call, registry: Registry, rng: random.Random) -> Iterator[Call]:
    """Calls of other tools about the same things, required arguments only."""
    made = 0
    for tool in rng.sample(registry.tools, len(registry)):
        required = [p.name for p in tool.parameters if p.required]
        if tool.name == right.name or not set(required) <= set(right.arguments):
            continue
        call = Call(tool.name, {name: right.arguments[name] for name in required})
        # A tool that takes all of it would rather do it than show it.
        if len(required) < len(right.arguments) and not check_calls([call], registry):
            made += 1
            if made <= _MOST_LOOKS:
                yield call


def _answer(rng: random.Random, right: Call) -> str:
    about = next((str(v) for v in right.arguments.values() if isinstance(v, str | int)), "")
    subject = about if 0 < len(about) <= 60 else "this"
    return rng.choice(_ANSWERS).format(subject=subject)


_SO_IT_IS = (
    "already",
    "nothing to do",
    "nothing left to do",
    "nothing to change",
    "no change",
    "no need",
    "not necessary",
    "unnecessary",
    "nothing more to do",
    "as it should be",
    "exists",
)

_ANSWERS = (
    "There is nothing to do: {subject} is already as you want it.",
    "That is done already; I changed nothing ({subject}).",
    "{subject} already is the way you asked for, so there was nothing to change.",
    "No change was needed. {subject} was already like that.",
    "Already so for {subject}, so I left everything as it is.",
)
