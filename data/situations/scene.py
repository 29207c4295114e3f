"""What the situations share: a task played through, rehearsals without harm, and history turns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tooldrill.agent import messages
from tooldrill.agent.call import Call
from tooldrill.agent.environment import Observation
from tooldrill.agent.episode import Message
from tooldrill.data.tasks.solve import OpenedTask, open_task
from tooldrill.data.tasks.task import Task, TaskKind
from tooldrill.data.values.words import word_list


@dataclass(frozen=True)
class Played:
    """A call of the oracle, carried out.

    Attributes:
        changed: whether it changed the state; one that did not is a lookup.
        after: the state it left.
    """

    call: Call
    observation: Observation
    changed: bool
    after: dict[str, Any]


def is_plain(task: Task) -> bool:
    """Whether the task is a request with calls and nothing else: no history, no situation."""
    return task.kind is TaskKind.ACT and bool(task.oracle) and not (task.history or task.situation)


def play(task: Task) -> list[Played]:
    """The oracle carried out once, step by step."""
    played = []
    with open_task(task) as opened:
        before = opened.session.snapshot()
        for call in task.calls:
            observation = opened.session.call(call.name, call.arguments)
            after = opened.session.snapshot()
            played.append(Played(call, observation, after != before, after))
            before = after
    return played


def staged(task: Task, situation: str, **changes: Any) -> Task:
    """A copy of the task with the changes, marked with its situation."""
    marks = {"id": f"{task.id}~{situation}", "situation": situation}
    return task.model_copy(update={**changes, **marks})


def turn(call: Call, observation: str, *, learn: bool = True) -> list[Message]:
    """A call and what came back, as history."""
    return [
        messages.call_message(call, learn=learn),
        messages.observation_message(call.name, observation),
    ]


def turns(played: Iterable[Played]) -> list[Message]:
    """Calls of the oracle as history."""
    return [m for one in played for m in turn(one.call, one.observation.text)]


def words_of(*texts: str) -> list[str]:
    """The telling words of names and sentences, in lower case, each once and in order.

    >>> words_of("set_reorderLevel", "New price of one piece.")
    ['set', 'reorder', 'level', 'new', 'price', 'one', 'piece']
    """
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", " ".join(texts))
    found = re.findall(r"[a-z]{3,}", re.sub(r"[\W_]+", " ", split).lower())
    return list(dict.fromkeys(word for word in found if word not in _SMALL_WORDS))


_SMALL_WORDS = frozenset(
    word_list(
        """
        about all and any are but can for from had has have her his how into its not off
        only out over she that the their them then there these they this those too until was were
        what when where which who why will with you your
        """
    )
)


class Rehearsal:
    """Attempts at one point of a task, each from the same state; close it after use.

    A failed call changes nothing, so only after a call that went through a fresh session is opened.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._opened: OpenedTask | None = None

    def attempt(self, call: Call) -> Observation:
        """What the call would bring."""
        if self._opened is None:
            self._opened = open_task(self._task)
        observation = self._opened.session.call(call.name, call.arguments)
        if not observation.error:
            self._close()
        return observation

    def __enter__(self) -> Rehearsal:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
