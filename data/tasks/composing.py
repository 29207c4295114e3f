"""Several requests as one task, in a world that is composed of theirs.

For registries larger and tasks longer than one world has. The parts' oracles follow each other;
since each part has its own world, none disturbs another.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from tooldrill.data.tasks.making import SPARE_STEPS
from tooldrill.data.tasks.task import Ending, Task, TaskKind
from tooldrill.data.tasks.verify import verify
from tooldrill.data.worlds.catalog import get_world
from tooldrill.data.worlds.composed import JOINED_BY


def composable(task: Task) -> bool:
    """Whether the task is a plain request whose conclusion may say more than it must."""
    return (
        task.kind is TaskKind.ACT
        and task.ending is Ending.REPORT
        and not (task.history or task.mask or task.change or task.situation)
    )


def compose(
    requests: Sequence[Task], others: Sequence[Task], tools: int, rng: random.Random
) -> Task:
    """The requests, in their order, as one task.

    Args:
        requests: plain tasks, each of another world.
        others: one of each further world, whose tools are offered and whose state is there; what
            they ask is not asked.
        tools: how many are offered, in random order; more where the requests need more.

    Raises:
        OracleFailureError: when the parts do not make a sound task.
    """
    parts = sorted([*requests, *others], key=lambda task: task.world)
    world = get_world(JOINED_BY.join(task.world for task in parts))
    needed = list(dict.fromkeys(call.name for task in requests for call in task.oracle))
    spare = [name for name in world.tool_names if name not in needed]
    offered = needed + rng.sample(spare, max(0, min(tools - len(needed), len(spare))))
    oracle = [call for task in requests for call in task.oracle]
    task = Task(
        id=JOINED_BY.join(task.id for task in requests),
        world=world.name,
        split=world.split,
        template=JOINED_BY.join(task.template for task in requests),
        kind=TaskKind.ACT,
        prompt=_joined([task.prompt for task in requests], rng),
        state={task.world: task.state for task in parts},
        tools=rng.sample(offered, len(offered)),
        oracle=oracle,
        answer=" ".join(task.answer for task in requests),
        answer_contains=[item for task in requests for item in task.answer_contains],
        max_steps=max(Task.model_fields["max_steps"].default, len(oracle) + SPARE_STEPS),
    )
    verify(task)
    return task


def _joined(prompts: Sequence[str], rng: random.Random) -> str:
    if len(prompts) == 1:
        return prompts[0]
    if rng.random() < 1 / 3:
        return "\n".join(f"{number}. {prompt}" for number, prompt in enumerate(prompts, 1))
    return "\n\n".join([prompts[0], *(f"{rng.choice(_NEXT)} {prompt}" for prompt in prompts[1:])])


_NEXT = ("And another thing:", "Apart from that:", "While you are at it:", "Besides:")
