"""Plain tasks of every world and the situations they were put into, made once for all tests."""

from __future__ import annotations

import random
from collections import defaultdict
from functools import cache

from tooldrill.agent.call import Call
from tooldrill.data.situations.catalog import SITUATIONS, put_into
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import judge, open_task, past_calls
from tooldrill.data.tasks.task import Task
from tooldrill.data.worlds.catalog import WORLDS

Staged = dict[str, list[tuple[Task, Task]]]

# What nobody may end with who was refused something.
FAILED_PRETEXTS = ("", "ok", "What next?", "I will try again.")


@cache
def plain_tasks() -> list[Task]:
    """Tasks of all worlds in no situation."""
    return make_tasks(tuple(WORLDS), 200, 21, (3, 6), recovery=0, restraint=0, masking=0.3)


@cache
def staged_tasks() -> Staged:
    """For each situation, the tasks it was put into, each with what it was."""
    found: Staged = defaultdict(list)
    for name in SITUATIONS:
        for number, task in enumerate(plain_tasks()):
            made = put_into(task, name, random.Random(f"{name}:{number}"))
            if made is not None:
                found[name].append((task, made))
    return found


def solved(task: Task, calls: list[Call], conclusion: str | None) -> bool:
    with open_task(task) as opened:
        for call in calls:
            opened.session.call(call.name, call.arguments)
        return judge(task, opened.session, conclusion)


def last_call(task: Task) -> tuple[Call, str]:
    *_, last = past_calls(task.history)
    return last
