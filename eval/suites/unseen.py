"""`unseen`: tools of held-out worlds, from one to all that a world has, and one to several steps.

The registries grow from the one tool that a task needs to the world's whole palette; the tasks
stay of the same kinds, so that what a longer list of tools costs can be read off.
"""

from __future__ import annotations

from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.catalog import get_world, world_names
from tooldrill.eval.suites.task_set import Case

SIZE = 160
OFFERED = (1, 2, 4, 8)  # and all of the world's


def draw(seed: int, tasks: int) -> list[Case]:
    """So many cases, the sizes of registry and the worlds in turn.

    A task is never offered fewer tools than it needs: its labels count what it is offered.
    """
    worlds = world_names(Split.HELDOUT)
    sizes: list[int | None] = [*OFFERED, None]
    cases: list[Case] = []
    for number, size in enumerate(sizes):
        share = tasks // len(sizes) + (number < tasks % len(sizes))
        for turn, world in enumerate(worlds):
            count = share // len(worlds) + (turn < share % len(worlds))
            offered = size or len(get_world(world).tool_names)
            drawn = make_tasks(
                [world], count, f"unseen:{seed}:{number}", (offered, offered),
                recovery=0.0, restraint=0.0, first=len(cases),
            )  # fmt: skip
            variant = "all tools" if size is None else f"{size} tools or as needed"
            cases += [Case.of(task, variant) for task in drawn]
    return cases
