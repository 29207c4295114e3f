"""A drawn task with one parameter of one of its tools changed, and which parameters can be."""

from __future__ import annotations

import random

from tooldrill.agent.call import Call
from tooldrill.agent.episode import CallRecord
from tooldrill.data.tasks.change import change_call
from tooldrill.data.tasks.solve import offered
from tooldrill.data.tasks.task import Change, Task


def changeable(task: Task, rng: random.Random) -> tuple[Call, str] | None:
    """A required parameter, a whole number or a text, of a tool that the oracle calls once."""
    names = [call.name for call in task.calls]
    registry = offered(task)
    choices = [
        (call, parameter.name)
        for call in task.calls
        if names.count(call.name) == 1
        for parameter in registry[call.name].parameters
        if parameter.required and type(call.arguments.get(parameter.name)) in (int, str)
    ]
    return rng.choice(choices) if choices else None


def changed(task: Task, change: Change) -> Task:
    """The task with the change, its oracle written for the signature that is shown."""
    oracle = [change_call(change, call) for call in task.calls]
    return task.model_copy(
        update={
            "change": change,
            "oracle": [CallRecord(name=call.name, arguments=call.arguments) for call in oracle],
        }
    )
