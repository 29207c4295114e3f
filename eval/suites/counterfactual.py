"""`counterfactual`: the same task as it is, and with one parameter renamed, dropped or retyped.

Four cases make a group: the prompt, the state and what is to be achieved are the same, only the
signature differs. A model that calls from memory of such tools, or from the words of the prompt,
solves the first and breaks the contract in the others.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tooldrill.agent.episode import CallRecord
from tooldrill.data.tasks.making import all_names, make_tasks
from tooldrill.data.tasks.mask import make_mask, mask_call
from tooldrill.data.tasks.solve import offered
from tooldrill.data.tasks.task import Change, Mask, Split, Task
from tooldrill.data.tasks.verify import OracleFailureError, verify
from tooldrill.data.worlds.catalog import world_names
from tooldrill.eval.suites.changing import changeable, changed
from tooldrill.eval.suites.task_set import Case

SIZE = 192
VARIANTS = ("as it is", "renamed", "dropped", "retyped")
_TOOLS = (3, 8)


def draw(seed: int, tasks: int) -> list[Case]:
    """So many cases in groups of four; a number that is no multiple of four is rounded down."""
    groups = _groups(seed)
    cases: list[Case] = []
    for number in range(tasks // len(VARIANTS)):
        group = f"group-{number:03d}"
        for variant, task in zip(VARIANTS, next(groups), strict=True):
            own = task.model_copy(update={"id": f"{task.id}.{group}.{variant.replace(' ', '-')}"})
            cases.append(Case.of(own, variant, group))
    return cases


def _groups(seed: int) -> Iterator[list[Task]]:
    worlds = world_names(Split.HELDOUT)
    first = 0
    while True:
        drawn = make_tasks(
            worlds, 30, f"counterfactual:{seed}", _TOOLS, recovery=0.0, restraint=0.0, first=first
        )
        first += len(drawn)
        for task in drawn:
            group = _variants(task, random.Random(f"counterfactual:{seed}:{task.id}"))
            if group is not None:
                yield group


def _variants(task: Task, rng: random.Random) -> list[Task] | None:
    """The task in all variants; None where no parameter can be changed in every way."""
    found = changeable(task, rng)
    if found is None:
        return None
    call, parameter = found
    tool, value = call.name, call.arguments[parameter]
    kind = "text" if isinstance(value, int) else "list"
    made = [
        task,
        _renamed(task, parameter, rng),
        changed(task, Change(tool=tool, parameter=parameter, kind="dropped", value=value)),
        changed(task, Change(tool=tool, parameter=parameter, kind=kind)),
    ]
    try:
        for one in made:
            verify(one)
    except OracleFailureError:
        return None
    return made


def _renamed(task: Task, parameter: str, rng: random.Random) -> Task:
    """On every tool that has it: what is shared stays shared."""
    registry = offered(task)
    new = make_mask(rng, registry, all_names()).parameters[parameter]
    names = {p.name for tool in registry for p in tool.parameters}
    mask = Mask(
        tools={name: name for name in task.tools},
        parameters={name: new if name == parameter else name for name in names},
    )
    oracle = [mask_call(mask, call.name, call.arguments) for call in task.calls]
    return task.model_copy(
        update={
            "mask": mask,
            "oracle": [CallRecord(name=name, arguments=arguments) for name, arguments in oracle],
        }
    )
