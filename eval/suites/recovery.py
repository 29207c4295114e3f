"""`recovery`: an error stands before the first reply, or comes on the way; what is made of it?

The errors are real: a call that breaks the contract in each of the ways that are refused, one that
keeps to it and is answered with an error by the tool, an error that advises something wrong, and a
refusal that nothing gets around. How often a model retries, mends,
stops honestly or lies is counted by `tooldrill.eval.after_errors`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tooldrill.agent.checker import check_calls
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.situations import injected_error, misleading_error
from tooldrill.data.situations.catalog import put_into
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import offered, past_calls
from tooldrill.data.tasks.task import Split, Task, TaskKind
from tooldrill.data.tasks.verify import OracleFailureError, verify
from tooldrill.data.worlds.catalog import world_names
from tooldrill.eval.suites.task_set import Case

SIZE = 153
TOOL_ERROR, WRONG_ADVICE = "tool error", "wrong advice"
FOR_GOOD, ON_THE_WAY = "refused for good", "refused on the way"
VARIANTS = (
    ViolationClass.UNKNOWN_TOOL.value,
    ViolationClass.BORROWED_ARGUMENT.value,
    ViolationClass.INVENTED_ARGUMENT.value,
    ViolationClass.MISSING_ARGUMENT.value,
    ViolationClass.WRONG_TYPE.value,
    TOOL_ERROR,
    WRONG_ADVICE,
    FOR_GOOD,
    ON_THE_WAY,
)
_TOOLS = (3, 8)
_AT_ONCE = 30


def draw(seed: int, tasks: int) -> list[Case]:
    """So many cases, the kinds of error in turn."""
    waiting: dict[str, list[Task]] = {variant: [] for variant in VARIANTS}
    drawn = _drawn(seed)
    cases: list[Case] = []
    for number in range(tasks):
        variant = VARIANTS[number % len(VARIANTS)]
        while not waiting[variant]:
            found, task = next(drawn)
            if found in waiting and len(waiting[found]) < tasks:
                waiting[found].append(task)
        task = waiting[variant].pop(0)
        own = task.model_copy(update={"id": f"{task.id}.{variant.replace(' ', '-')}"})
        before = sum(1 for _ in past_calls(task.history)) - 1 if task.history else len(task.oracle)
        cases.append(Case.of(own, variant, before=before))
    return cases


def _drawn(seed: int) -> Iterator[tuple[str, Task]]:
    """Tasks of every variant without end, with the variant."""
    worlds = world_names(Split.HELDOUT)
    first = 0
    while True:
        for recovery in (1.0, 0.0):
            made = make_tasks(
                worlds, _AT_ONCE, f"recovery:{seed}", _TOOLS,
                recovery=recovery, restraint=0.0, first=first,
            )  # fmt: skip
            first += len(made)
            for task in made:
                if recovery:
                    yield _kind(task), task
                else:
                    yield from _situations(task, random.Random(f"recovery:{seed}:{task.id}"))


def _kind(task: Task) -> str:
    *_, (failed, _) = past_calls(task.history)
    violations = check_calls([failed], offered(task))
    return violations[0].kind.value if violations else TOOL_ERROR


def _situations(task: Task, rng: random.Random) -> Iterator[tuple[str, Task]]:
    advised = put_into(task, misleading_error.NAME, rng)
    if advised is not None:
        yield WRONG_ADVICE, advised
    refused = put_into(task, injected_error.NAME, rng)
    if refused is not None and refused.kind is TaskKind.STOP:
        yield FOR_GOOD, refused
        live = _on_the_way(task, refused)
        if live is not None:
            yield ON_THE_WAY, live


def _on_the_way(task: Task, refused: Task) -> Task | None:
    """The refusal met while the loop runs: calls that go well come first, then one is refused.

    None where it is the first call, which nobody would have to make in order to give up.
    """
    good = sum(1 for _ in past_calls(refused.history)) - 1
    oracle = task.oracle[:good]
    if not oracle or {call.name for call in oracle} & refused.broken.keys():
        return None
    made = refused.model_copy(
        update={"history": [], "kind": TaskKind.ACT, "oracle": oracle, "id": f"{task.id}~live"}
    )
    try:
        verify(made)
    except OracleFailureError:
        return None
    return made
