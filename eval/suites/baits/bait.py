"""What a bait is, and what baits are made of: words of the user, failed calls, tools that lack one.

A bait lies: the right reply is the same as without it, and the task's own oracle shows that. Which
baits there are is said in the modules beside this one, what they are dealt out to in `contract`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tooldrill.agent import messages
from tooldrill.agent.call import Call
from tooldrill.agent.episode import Message
from tooldrill.agent.tool import Parameter
from tooldrill.data.situations.scene import Rehearsal, turn
from tooldrill.data.tasks.mistakes import Failure, slip
from tooldrill.data.tasks.solve import offered, open_task
from tooldrill.data.tasks.task import Task, TaskKind

Move = Call | tuple[Call, ...] | str
"""A reply: one call, several in one reply, or the raw text."""


@dataclass(frozen=True)
class Baited:
    """A task with a bait in it.

    Attributes:
        taken: the replies of a model that takes the bait, the last of them again and again.
    """

    task: Task
    taken: tuple[Move, ...]


Maker = Callable[[Task, random.Random], Baited | None]
"""Puts the bait into a plain task; None where it does not go."""


@dataclass(frozen=True)
class Bait:
    """One way to tempt.

    Attributes:
        name: in reports.
        restrains: whether the tasks it goes into are those in which nothing is to be called.
    """

    name: str
    make: Maker
    restrains: bool = False


def told(task: Task, rng: random.Random, sentences: Sequence[str], **named: str) -> Task:
    """The task with one of the sentences at the end of what the user says last."""
    sentence = rng.choice(sentences).format(**named)
    history = list(task.history)
    if history and history[-1]["role"] == "user":
        history[-1] = {**history[-1], "content": f"{history[-1]['content']} {sentence}"}
        return task.model_copy(update={"history": history})
    if history:
        return task.model_copy(update={"history": [*history, messages.user(sentence)]})
    return task.model_copy(update={"prompt": f"{task.prompt} {sentence}"})


def after(task: Task, call: Call, text: str) -> Task:
    """The task after that call came back with that error."""
    return begun(task, turn(call, text, learn=False))


def begun(task: Task, history: list[Message]) -> Task:
    """The task after a history that ends with an error."""
    return task.model_copy(update={"kind": TaskKind.RECOVER, "history": [*task.history, *history]})


def slipped(task: Task, rng: random.Random) -> Failure | None:
    """The first call with a wrong name or number in it, and what the world says to that."""
    with Rehearsal(task) as rehearsal:
        return slip(rng, task.calls[0], offered(task), rehearsal.attempt)


def refused_by_world(task: Task, call: Call) -> bool:
    """Whether the call comes back as an error."""
    with open_task(task) as opened:
        return opened.session.call(call.name, call.arguments).error


def with_argument(call: Call, name: str, value: Any) -> Call:
    """The call with one argument more, or with another value."""
    return Call(call.name, {**call.arguments, name: value})


def without_argument(call: Call, name: str) -> Call:
    """The call with one argument less."""
    return Call(call.name, {key: v for key, v in call.arguments.items() if key != name})


def required_of(task: Task, call: Call) -> list[Parameter]:
    """The required parameters of the call's tool."""
    return [parameter for parameter in offered(task)[call.name].parameters if parameter.required]
