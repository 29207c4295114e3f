"""`unseen`: tools of held-out worlds, from one to 32, and one to eight steps.

The registries grow from the one tool that a task needs to the world's whole palette, with tasks of
the same kinds, so that what a longer list of tools costs can be read off; the largest are composed
of all held-out worlds and ask for one, two or three things at once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tooldrill.data.tasks.composing import composable, compose
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import Split, Task
from tooldrill.data.worlds.catalog import get_world, world_names
from tooldrill.eval.suites.task_set import Case

SIZE = 192
OFFERED = (1, 2, 4, 8)  # and all of the world's
MOST_TOOLS, MOST_STEPS = 32, 8
_LONG = 6
_AT_ONCE = 30


def draw(seed: int, tasks: int) -> list[Case]:
    """So many cases, the sizes of registry and the worlds in turn.

    A task is never offered fewer tools than it needs: its labels count what it is offered.
    """
    worlds = world_names(Split.HELDOUT)
    sizes: list[int | None] = [*OFFERED, None]
    shares = [
        tasks // (len(sizes) + 1) + (number < tasks % (len(sizes) + 1))
        for number in range(len(sizes) + 1)
    ]
    cases: list[Case] = []
    for number, size in enumerate(sizes):
        for turn, world in enumerate(worlds):
            count = shares[number] // len(worlds) + (turn < shares[number] % len(worlds))
            offered = size or len(get_world(world).tool_names)
            drawn = make_tasks(
                [world], count, f"unseen:{seed}:{number}", (offered, offered),
                recovery=0.0, restraint=0.0, first=len(cases),
            )  # fmt: skip
            variant = "all tools" if size is None else f"{size} tools or as needed"
            cases += [Case.of(task, variant) for task in drawn]
    composed = _composed(seed)
    cases += [Case.of(next(composed), f"{MOST_TOOLS} tools") for _ in range(shares[-1])]
    return cases


def _composed(seed: int) -> Iterator[Task]:
    """Tasks over all worlds without end: one, two and three requests in turn."""
    source = f"unseen:{seed}:composed"
    streams = {world: _requests(world, source) for world in world_names(Split.HELDOUT)}
    number = 0
    while True:
        rng = random.Random(f"{source}:{number}")
        drawn = rng.sample([next(stream) for stream in streams.values()], len(streams))
        asked = 1 + number % len(drawn)
        steps = sum(len(task.oracle) for task in drawn[:asked])
        # Three requests make the long ones; what does not fit is drawn again.
        if (asked < len(drawn) or steps >= _LONG) and steps <= MOST_STEPS:
            task = compose(drawn[:asked], drawn[asked:], MOST_TOOLS, rng)
            yield task.model_copy(update={"id": f"{task.id}.{MOST_TOOLS}-tools-{number:03d}"})
            number += 1


def _requests(world: str, source: str) -> Iterator[Task]:
    first = 0
    while True:
        for task in make_tasks(
            [world], _AT_ONCE, source, (1, 1), recovery=0.0, restraint=0.0, first=first
        ):
            if composable(task):
                yield task
        first += _AT_ONCE
