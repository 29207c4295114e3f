"""Tasks of forged worlds: many of them, each drawn from a template and verified."""

from __future__ import annotations

import random
from functools import cache

from tooldrill.data.forge.world import ForgeWorld, forge_world
from tooldrill.data.tasks.making import Plan, make_task
from tooldrill.data.tasks.offering import Wish, offer_tools
from tooldrill.data.tasks.task import Split, Task, TaskKind

WORLDS = 120
SPLITS = (Split.TRAIN, Split.HELDOUT)


@cache
def tasks_of(split: Split, count: int = WORLDS) -> list[Task]:
    """A task of every template of the first worlds; each is verified while it is made."""
    return [
        drawn(forge_world(number, split), name, kind)
        for number in range(count)
        for kind in (TaskKind.ACT, TaskKind.RESTRAIN)
        for name in [t.name for t in forge_world(number, split).templates(kind)]
    ]


def drawn(world: ForgeWorld, template_name: str, kind: TaskKind, seed: int = 0) -> Task:
    rng = random.Random(f"{world.name}:{template_name}:{seed}")
    template = next(t for t in world.book.templates if t.name == template_name)
    wish = Wish(seed, world, template.draft(rng), masked=False)
    offer = offer_tools([wish], (3, 6), 1, seed, frozenset())[seed]
    return make_task(rng, Plan(template, kind), wish, offer)
