"""One block of a data set: its traces and the pairs made of them, from the seed and its place.

Pure: the same settings and plan give the same rows in any process. Where the rows go is the work of
`parts`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, cycle, repeat
from typing import Any

from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.catalog import EPISODE_CLASSES, OPERATORS, corrupt
from tooldrill.data.forge.world import forge_name
from tooldrill.data.pairs import make_pairs
from tooldrill.data.sets.mixing import FORGE, HARVEST, WORLDS, BlockPlan
from tooldrill.data.settings import DataSettings
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import Task, TaskKind
from tooldrill.data.traces import Fault, Trace, record
from tooldrill.data.wrong_turns import NEEDED_REFUSALS

Row = dict[str, Any]

# Sets of different seeds get different worlds, as far as there are so many.
_FORGED, _STRIDE = 1_000_000, 61_803
_CLASSES = sorted(OPERATORS)
_CLAIMS = (ViolationClass.MISSING_CALL, ViolationClass.FABRICATED_SUCCESS)
_KINDS = sorted(OPERATORS.keys() - EPISODE_CLASSES)

# Registries for the tasks of one world in a block. Two: some tasks must not be offered what others
# need, and a world met in every block would have a registry for each few tasks.
_GROUPS = 2

# Of the recovery share: failed calls that stand in the task's history already. In the others a
# wrong reply is put in at a random step.
_HISTORY_SHARE = 0.5


@dataclass
class BlockRows:
    """What a block holds.

    Attributes:
        dropped: tasks whose trace did not pass its checker.
    """

    sft: list[Row] = field(default_factory=list)
    dpo: list[Row] = field(default_factory=list)
    dropped: int = 0


def make_block(settings: DataSettings, plan: BlockPlan) -> BlockRows:
    """The rows of a block, but for those that are read from files."""
    made = BlockRows()
    traces: list[Trace] = []
    for source in (WORLDS, FORGE):
        count, first = plan.counts.get(source, 0), plan.before.get(source, 0)
        if count:
            choose = worlds_in_turn if source == WORLDS else _forged
            worlds = choose(settings, first, count)
            found = make_traces(settings, worlds, count, first, source)
            made.dropped += count - len(found)
            traces += found
    made.sft = [trace.row() for trace in traces]
    singles = plan.counts.get(HARVEST, 0)
    harvested = round(plan.pairs * singles / max(1, plan.traces))
    seed = f"{settings.seed} {plan.index}"
    made.dpo = make_pairs(traces, plan.pairs - harvested, seed, settings.rejected)
    if singles:
        _add_harvest(settings, plan, harvested, made)
    rng = random.Random(f"block {settings.seed} {plan.index}")
    rng.shuffle(made.sft)
    rng.shuffle(made.dpo)
    return made


def make_traces(
    settings: DataSettings, worlds: Sequence[str], count: int, first: int = 0, source: str = WORLDS
) -> list[Trace]:
    """The verified traces of `count` tasks in the given worlds, in the order of their tasks.

    Args:
        first: the number of the first task; tasks of different numbers differ.
    """
    rng = random.Random(f"traces {settings.seed} {source} {first}")
    recoveries = _whole(rng, settings.recovery * count)
    in_history = _whole(rng, recoveries * _HISTORY_SHARE)
    tasks = make_tasks(
        worlds,
        count,
        f"{settings.seed} {source}",
        settings.tools,
        recovery=in_history / count,
        restraint=_whole(rng, settings.restraint * count) / count,
        masking=_whole(rng, settings.masking * count) / count,
        voices=settings.voices,
        situations=settings.situations,
        sharing=settings.sharing,
        first=first,
    )
    traces = [trace for task in tasks if (trace := record(task, _own(settings, task)))]
    return _with_faults(traces, recoveries - in_history, settings, rng)


def _whole(rng: random.Random, share: float) -> int:
    """The number itself when it is whole, else one of its neighbours: right on average."""
    whole = int(share)
    rest = share - whole
    # A sum such as 0.35 * 20 is 7 but for its last bit, and means 7.
    if min(rest, 1 - rest) < 1e-9:
        return round(share)
    return whole + (rng.random() < rest)


def worlds_in_turn(settings: DataSettings, first: int, count: int) -> list[str]:
    """The worlds of a block's tasks: few, so that many tasks of each can share a registry.

    Block after block goes on where the one before ended, in an order of the set's own.
    """
    worlds = random.Random(f"worlds {settings.seed}").sample(settings.worlds, len(settings.worlds))
    tasks = _GROUPS * settings.sharing  # of a world in a block
    start, stop = round(first / tasks), round((first + count) / tasks)
    wanted = min(len(worlds), max(1, stop - start))
    return [worlds[(start + place) % len(worlds)] for place in range(wanted)]


def _forged(settings: DataSettings, first: int, count: int) -> list[str]:
    """Names of the generated worlds for the tasks with these numbers, each shared by a few."""
    numbers = range(first // settings.sharing, (first + count - 1) // settings.sharing + 1)
    start = settings.seed * _STRIDE
    return [forge_name((start + number) % _FORGED) for number in numbers]


def _with_faults(
    traces: Sequence[Trace], count: int, settings: DataSettings, rng: random.Random
) -> list[Trace]:
    """The traces, `count` of them carried out again with a wrong reply in front of a right one.

    The classes take turns, so that the rare ones (few tools have an enum) are not starved: each
    gets a task in which it is possible.
    """
    made = list(traces)
    untouched = [i for i, t in enumerate(traces) if t.kind in (TaskKind.ACT, TaskKind.RESTRAIN)]
    classes = rng.sample(_CLASSES, len(_CLASSES))
    for kind in chain.from_iterable(repeat(classes, count)):
        if count == 0:
            break
        rng.shuffle(untouched)
        for index in untouched:
            trace = _faulty(traces[index], kind, _own(settings, traces[index].task))
            if trace is not None:
                made[index] = trace
                untouched.remove(index)
                count -= 1
                break
    return made


def _own(settings: DataSettings, task: Task) -> random.Random:
    return random.Random(f"trace {settings.seed} {task.id}")


def _faulty(trace: Trace, kind: ViolationClass, rng: random.Random) -> Trace | None:
    """The trace's task with a wrong reply of that class at a random step; None if it has no place.

    Restraint is given up only for the call that it forbids.
    """
    if (kind is ViolationClass.NEEDLESS_CALL) != (trace.kind is TaskKind.RESTRAIN):
        return None
    if kind in _CLAIMS and trace.task.answer_contains:
        # "Nothing has happened" is no objection to a question's answer.
        return None
    steps = list(range(len(trace.turns)))
    for step in rng.sample(steps, len(steps)):
        # What one reply can do without a history is tried without opening the world again.
        possible = kind in NEEDED_REFUSALS or corrupt(kind, trace.moment(step), rng) is not None
        found = record(trace.task, rng, Fault(step, kind)) if possible else None
        if found is not None:
            return found
    return None


def _add_harvest(settings: DataSettings, plan: BlockPlan, pairs: int, made: BlockRows) -> None:
    """Single calls of real APIs, and as many of them as pairs are wanted with a corrupted twin."""
    from tooldrill.data.harvest import harvest_pair, harvest_singles, refused_once, to_row

    seed = f"harvest {settings.seed} {plan.index}"
    kinds = cycle(random.Random(seed).sample(_KINDS, len(_KINDS)))
    singles = harvest_singles(seed, plan.counts[HARVEST], sharing=settings.sharing)
    for number, single in enumerate(singles, plan.before.get(HARVEST, 0)):
        trace_id = f"harvest-{number:06d}"
        rng = random.Random(f"{seed} {number}")
        refused = refused_once(single, rng) if rng.random() < settings.recovery else None
        made.sft.append(to_row(refused or single, trace_id))
        for _ in range(len(_KINDS) if pairs > 0 else 0):
            pair = harvest_pair(rng, single, next(kinds), trace_id)
            if pair is not None:
                made.dpo.append(pair)
                pairs -= 1
                break
