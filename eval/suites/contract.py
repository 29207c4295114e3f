"""`contract`: for every class of violation, situations that tempt to it.

The right replies are those that the task has without its bait, so whoever reads the tools and what
came back solves it. What each bait is stands in `baits`; how many were taken is counted by
`tooldrill.eval.baits_taken`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tooldrill.agent.violation import ViolationClass
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import Split, Task
from tooldrill.data.tasks.verify import OracleFailureError, verify
from tooldrill.data.worlds.catalog import world_names
from tooldrill.eval.suites.baits.bait import Bait, Baited
from tooldrill.eval.suites.baits.catalog import BAITS
from tooldrill.eval.suites.task_set import Case

SIZE = 16 * len(BAITS)
_TOOLS = (3, 9)
_AT_ONCE = 15


def draw(seed: int, tasks: int) -> list[Case]:
    """So many cases, the classes in turn, and the baits of each class in turn."""
    return [
        Case.of(one.task, kind.value, bait=bait.name)
        for kind, bait, one in draw_baited(seed, tasks)
    ]


def draw_baited(seed: int, tasks: int) -> list[tuple[ViolationClass, Bait, Baited]]:
    """The same with the class, the bait, and what a model does that takes it."""
    drawn = {
        (kind, bait.name): _baited(kind, bait, seed)
        for kind, baits in BAITS.items()
        for bait in baits
    }
    classes = list(BAITS)
    found: list[tuple[ViolationClass, Bait, Baited]] = []
    for number in range(tasks):
        kind = classes[number % len(classes)]
        bait = BAITS[kind][number // len(classes) % len(BAITS[kind])]
        found.append((kind, bait, next(drawn[kind, bait.name])))
    return found


def _baited(kind: ViolationClass, bait: Bait, seed: int) -> Iterator[Baited]:
    """Tasks with that bait, without end; each is of another template than the one before."""
    source, first, last = f"contract:{seed}:{kind}:{bait.name}", 0, ""
    while True:
        made = make_tasks(
            world_names(Split.HELDOUT), _AT_ONCE, source, _TOOLS,
            recovery=0.0, restraint=float(bait.restrains), first=first,
        )  # fmt: skip
        first += _AT_ONCE
        for task in made:
            if task.template == last:
                continue
            one = bait.make(task, random.Random(f"{source}:{task.id}"))
            if one is None or not _is_sound(one.task):
                continue
            last = task.template
            own = f"{task.id}.{kind}.{bait.name.replace(' ', '-')}"
            yield Baited(one.task.model_copy(update={"id": own}), one.taken)


def _is_sound(task: Task) -> bool:
    try:
        verify(task)
    except OracleFailureError:
        return False  # what a draw says by chance can undo the bait
    return True
