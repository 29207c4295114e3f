"""`restraint`: nothing to do, no tool fits, something missing; each beside a twin that must call.

A twin is of the same world and is offered the same tools in the same order, so that a model that
never calls loses on the twins what it wins here, and so does one that always calls the other way.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tooldrill.data.situations import missing_value
from tooldrill.data.situations.catalog import put_into
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import Ending, Split, Task
from tooldrill.data.tasks.verify import verify
from tooldrill.data.worlds.catalog import world_names
from tooldrill.eval.suites.task_set import Case

SIZE = 140
MUST_CALL = "must call"
VARIANTS = {
    Ending.REPORT: "nothing to do",
    Ending.ADMIT: "no tool fits",
    Ending.ASK: "something missing",
}
_TOOLS = (3, 10)


def draw(seed: int, tasks: int) -> list[Case]:
    """So many cases, pairs of a task and its twin; an odd number is one less.

    Half of the pairs are worded to need no call, half had a value taken out of their prompt.
    """
    pairs = tasks // 2
    vague = _vague(seed)
    worded = _worded(seed)
    made: list[Case] = []
    for number in range(pairs):
        task, twin = next(vague if number % 2 else worded)
        group = f"pair-{number:03d}"
        twin = twin.model_copy(update={"id": f"{twin.id}.{group}"})
        task = task.model_copy(update={"id": f"{task.id}.{group}.restrain"})
        made += [Case.of(task, VARIANTS[task.ending], group), Case.of(twin, MUST_CALL, group)]
    return made


def _vague(seed: int) -> Iterator[tuple[Task, Task]]:
    """A task whose prompt leaves out what it needs, and the task as it was."""
    for first, world in _rounds():
        drawn = make_tasks(
            [world], 8, f"restraint:vague:{seed}", _TOOLS, recovery=0.0, restraint=0.0, first=first
        )
        for task in drawn:
            made = put_into(task, missing_value.NAME, random.Random(f"vague:{seed}:{task.id}"))
            if made is not None:
                yield made, task
                break


def _worded(seed: int) -> Iterator[tuple[Task, Task]]:
    """A task worded to need no call, and one that its tools can do."""
    for first, world in _rounds():
        source = f"restraint:worded:{seed}"
        (task,) = make_tasks([world], 1, source, _TOOLS, recovery=0.0, restraint=1.0, first=first)
        for twin in make_tasks(
            [world], 16, source, (1, 1), recovery=0.0, restraint=0.0, first=first + 1
        ):
            if {call.name for call in twin.calls} <= set(task.tools):
                shown = twin.model_copy(update={"tools": task.tools})
                verify(shown)
                yield task, shown
                break


def _rounds() -> Iterator[tuple[int, str]]:
    """The held-out worlds in turn without end, each time with numbers of their own."""
    worlds = world_names(Split.HELDOUT)
    number = 0
    while True:
        yield number * 32, worlds[number % len(worlds)]
        number += 1
