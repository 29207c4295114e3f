"""One block of a data set: its traces and the pairs made of them, from the seed and its place.

Pure: the same settings and plan give the same rows in any process. Where the rows go is the work of
`parts`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.catalog import EPISODE_CLASSES, OPERATORS
from tooldrill.data.forge.world import forge_name
from tooldrill.data.pairs import make_pairs
from tooldrill.data.sets.mixing import FORGE, HARVEST, WORLDS, BlockPlan
from tooldrill.data.settings import DataSettings
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import Task, TaskKind
from tooldrill.data.traces import REFUSED_CLASSES, Fault, Trace, record

Row = dict[str, Any]

# Sets of different seeds get different worlds, as far as there are so many.
_FORGED, _STRIDE = 1_000_000, 61_803
_KINDS = sorted(OPERATORS.keys() - EPISODE_CLASSES)

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
            worlds = settings.worlds if source == WORLDS else _forged(settings, first, count)
            found = make_traces(settings, worlds, count, first, source)
            made.dropped += count - len(found)
            traces += found
    made.sft = [trace.row() for trace in traces]
    singles = plan.counts.get(HARVEST, 0)
    harvested = round(plan.pairs * singles / max(1, plan.traces))
    made.dpo = make_pairs(traces, plan.pairs - harvested, f"{settings.seed} {plan.index}")
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
    faulty = _chosen(tasks, recoveries - in_history, rng)
    classes = cycle(rng.sample(REFUSED_CLASSES, len(REFUSED_CLASSES)))
    traces: list[Trace] = []
    for task in tasks:
        own = random.Random(f"trace {settings.seed} {task.id}")
        kind = next(classes) if task.id in faulty else None
        trace = record(task, own) if kind is None else _recovery(task, kind, own)
        if trace is not None:
            traces.append(trace)
    return traces


def _whole(rng: random.Random, share: float) -> int:
    """The number itself when it is whole, else one of its neighbours: right on average."""
    whole = int(share)
    rest = share - whole
    # A sum such as 0.35 * 20 is 7 but for its last bit, and means 7.
    if min(rest, 1 - rest) < 1e-9:
        return round(share)
    return whole + (rng.random() < rest)


def _forged(settings: DataSettings, first: int, count: int) -> list[str]:
    """Names of the generated worlds for the tasks with these numbers, each shared by a few."""
    numbers = range(first // settings.sharing, (first + count - 1) // settings.sharing + 1)
    start = settings.seed * _STRIDE
    return [forge_name((start + number) % _FORGED) for number in numbers]


def _chosen(tasks: Sequence[Task], count: int, rng: random.Random) -> set[str]:
    """Ids of the tasks into which a wrong reply is put."""
    able = [task.id for task in tasks if task.kind is TaskKind.ACT]
    return set(rng.sample(able, min(count, len(able))))


def _recovery(task: Task, first: ViolationClass, rng: random.Random) -> Trace | None:
    """The task with a refused reply at a random step, of class `first` if that applies."""
    others = [kind for kind in REFUSED_CLASSES if kind != first]
    steps = list(range(len(task.oracle) + 1))
    for kind in [first, *rng.sample(others, len(others))]:
        for step in rng.sample(steps, len(steps)):
            trace = record(task, rng, Fault(step, kind))
            if trace is not None:
                return trace
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
