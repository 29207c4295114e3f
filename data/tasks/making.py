"""Making tasks: drafts of the worlds' templates become tasks with tools, history and mask.

Everything follows from the seed, shares are exact, and every oracle is carried out before its task
is handed over. How traces are made of tasks is not decided here: see `traces`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from tooldrill.agent import messages
from tooldrill.agent.call import Call
from tooldrill.agent.environment import Observation
from tooldrill.agent.episode import CallRecord, Message
from tooldrill.data.situations.catalog import SITUATIONS, put_into
from tooldrill.data.tasks.mask import mask_call
from tooldrill.data.tasks.mistakes import fail
from tooldrill.data.tasks.offering import Offer, Wish, offer_tools
from tooldrill.data.tasks.solve import open_task, run_oracle
from tooldrill.data.tasks.task import Ending, Mask, Task, TaskKind
from tooldrill.data.tasks.verify import OracleFailureError, verify
from tooldrill.data.voices.revoice import DEFAULT, LIGHT, revoice
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.book import Draft, Template
from tooldrill.data.worlds.catalog import WORLDS, get_world


def make_tasks(
    worlds: Sequence[str],
    count: int,
    seed: int | str,
    tools: tuple[int, int],
    *,
    recovery: float,
    restraint: float,
    masking: float = 0.0,
    voices: float = 0.0,
    situations: float = 0.0,
    sharing: int = 1,
    first: int = 0,
) -> list[Task]:
    """`count` verified tasks, the worlds in turn.

    Args:
        worlds: names of the worlds.
        count: how many tasks.
        seed: the same seed gives the same tasks.
        tools: fewest and most tools offered; never fewer than the oracle needs.
        recovery: share with a failed call in the history.
        restraint: share in which nothing is to be called.
        masking: share with renamed tools and parameters, over all kinds alike.
        voices: share of prompts said in another voice (see `voices`).
        situations: share put into a trying situation, where one applies (see `situations`).
        sharing: most tasks that are offered the same registry.
        first: the number of the first task; with other numbers come other tasks.

    Raises:
        TooldrillError: when a world does not exist.
        OracleFailureError: when a template's oracle does not solve its task.
    """
    rng = random.Random(f"tasks:{seed}:{first}")
    kinds = _kinds(rng, count, recovery, restraint)
    opened = [get_world(name) for name in worlds]
    turns = {
        (world.name, restrain): _in_turn(rng, world.templates(kind))
        for world in opened
        for restrain, kind in ((False, TaskKind.ACT), (True, TaskKind.RESTRAIN))
    }
    # The worlds are dealt within each kind, so that none gets all the recoveries.
    dealt = dict.fromkeys(TaskKind, 0)
    chosen: list[World] = []
    for kind in kinds:
        chosen.append(opened[dealt[kind] % len(opened)])
        dealt[kind] += 1
    masked = _marks(rng, [world.name for world in chosen], masking, sharing)
    plans: list[Plan] = []
    wishes: list[Wish] = []
    for number, (kind, world) in enumerate(zip(kinds, chosen, strict=True), first):
        plan = Plan(next(turns[world.name, kind is TaskKind.RESTRAIN]), kind, voices, situations)
        plans.append(plan)
        draft = _draft(plan, world, f"{seed}:{number}")
        wishes.append(Wish(number, world, draft, masked[number - first]))
    offers = offer_tools(wishes, tools, sharing, seed, all_names())
    return [
        _made(plan, wish, offers[wish.number], tools, seed)
        for plan, wish in zip(plans, wishes, strict=True)
    ]


# Replies beyond the oracle's calls: the conclusion, and one mistake on the way.
SPARE_STEPS = 2
_DRAWS = 4  # of a task, before its template is blamed


class Plan(NamedTuple):
    """What was decided about a task before anything of it is drawn."""

    template: Template
    kind: TaskKind
    voices: float = 0.0
    situations: float = 0.0


def _draft(plan: Plan, world: World, seed: str) -> Draft:
    draft = plan.template.draft(random.Random(f"draft:{seed}"))
    own = random.Random(f"voice:{seed}")
    if own.random() < plan.voices:
        return revoice(draft, own, LIGHT if world.own_voices else DEFAULT, world.split)
    return draft


def _made(plan: Plan, wish: Wish, offer: Offer, tools: tuple[int, int], seed: int | str) -> Task:
    """The task, drawn again when what came together by chance makes none.

    A new price may happen to be the old one; a template that is wrong is wrong every time.
    """
    for attempt in range(1, _DRAWS):
        try:
            return make_task(random.Random(f"task:{seed}:{wish.number}"), plan, wish, offer)
        except OracleFailureError:
            own_seed = f"{seed}:{wish.number}:{attempt}"
            wish = replace(wish, draft=_draft(plan, wish.world, own_seed))
            offer = offer_tools([wish], tools, 1, own_seed, all_names())[wish.number]
    return make_task(random.Random(f"task:{seed}:{wish.number}"), plan, wish, offer)


def make_task(rng: random.Random, plan: Plan, wish: Wish, offer: Offer) -> Task:
    """One verified task.

    Raises:
        OracleFailureError: when the template's oracle does not solve it.
    """
    world, draft = wish.world, wish.draft
    name = f"{world.name}.{plan.template.name}"
    task = Task(
        id=f"{name}-{wish.number:04d}",
        world=world.name,
        split=world.split,
        template=name,
        kind=plan.kind,
        prompt=draft.prompt,
        state=draft.state,
        tools=offer.tools,
        oracle=[CallRecord(name=name, arguments=arguments) for name, arguments in draft.oracle],
        answer=draft.answer,
        answer_contains=list(draft.answer_contains),
        ending=draft.ending or Ending.REPORT,
        said=dict(draft.said),
        max_steps=max(Task.model_fields["max_steps"].default, len(draft.oracle) + SPARE_STEPS),
    )
    if offer.mask is not None:
        task = _masked(task, offer.mask)
    if plan.kind is TaskKind.RECOVER:
        task = _failing(rng, task)
    verify(task)
    return _tried(rng, task) if rng.random() < plan.situations else task


def _tried(rng: random.Random, task: Task) -> Task:
    """The task in the first situation that applies, or as it is."""
    for name in rng.sample(sorted(SITUATIONS), len(SITUATIONS)):
        made = put_into(task, name, rng)
        if made is not None:
            return made
    return task


def _masked(task: Task, mask: Mask) -> Task:
    oracle = []
    for record in task.oracle:
        name, arguments = mask_call(mask, record.name, record.arguments)
        oracle.append(CallRecord(name=name, arguments=arguments))
    tools = [mask.tools[name] for name in task.tools]
    return task.model_copy(update={"mask": mask, "oracle": oracle, "tools": tools})


def _failing(rng: random.Random, task: Task) -> Task:
    """The task with one of the oracle's calls failing first; earlier ones are in the history."""
    at = rng.randrange(len(task.oracle))
    history: list[Message] = []
    for call, observation in run_oracle(task)[:at]:
        history += _turn(call, observation.text)
    begun = task.model_copy(update={"history": history, "oracle": task.oracle[at:]})

    def attempt(call: Call) -> Observation:
        with open_task(begun) as opened:
            return opened.session.call(call.name, call.arguments)

    with open_task(begun) as opened:
        failure = fail(rng, task.calls[at], opened.registry, attempt)
    history += _turn(failure.call, failure.observation.text, learn=False)
    return begun.model_copy(update={"history": history})


def _turn(call: Call, observation: str, *, learn: bool = True) -> list[Message]:
    return [
        messages.call_message(call, learn=learn),
        messages.observation_message(call.name, observation),
    ]


def _kinds(rng: random.Random, count: int, recovery: float, restraint: float) -> list[TaskKind]:
    recover = round(count * recovery)
    restrain = min(round(count * restraint), count - recover)
    kinds = [TaskKind.RECOVER] * recover + [TaskKind.RESTRAIN] * restrain
    kinds += [TaskKind.ACT] * (count - len(kinds))
    rng.shuffle(kinds)
    return kinds


def _marks(rng: random.Random, worlds: Sequence[str], share: float, sharing: int) -> list[bool]:
    """Which tasks are masked, given their worlds: neighbours of one world alike, so as to share."""
    seen: Counter[str] = Counter()
    runs: dict[tuple[str, int], list[int]] = {}
    for place, world in enumerate(worlds):
        runs.setdefault((world, seen[world] // sharing), []).append(place)
        seen[world] += 1
    shuffled = rng.sample(list(runs.values()), len(runs))
    masked = [place for run in shuffled for place in run][: round(len(worlds) * share)]
    marks = [False] * len(worlds)
    for place in masked:
        marks[place] = True
    return marks


def _in_turn(rng: random.Random, templates: Sequence[Template]) -> Iterator[Template]:
    """The templates again and again, each time in another order: none is rare."""
    while True:
        yield from rng.sample(templates, len(templates))


@cache
def all_names() -> frozenset[str]:
    """Every tool and parameter name of every world: no mask may make one of them."""
    names: set[str] = set()
    for world in WORLDS:
        for tool in get_world(world).registry:
            names |= {tool.name, *tool.parameter_names}
    return frozenset(names)
