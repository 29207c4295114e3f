"""The data stage: settings in, a folder with the SFT and DPO sets out.

Everything follows from the seed: the same settings give the same bytes. The folder appears whole or
not at all.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from tooldrill.agent.atomic import atomic_directory
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress, silent
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.card import data_card
from tooldrill.data.pairs import make_pairs
from tooldrill.data.settings import DataSettings
from tooldrill.data.stats import Stats, stats
from tooldrill.data.task import Split, Task, TaskKind
from tooldrill.data.tasks import make_tasks
from tooldrill.data.traces import REFUSED_CLASSES, Fault, Trace, record
from tooldrill.data.worlds.catalog import get_world, world_names
from tooldrill.data.writing import write_jsonl, write_parquet

# Of the recovery share: failed calls that stand in the task's history already. In the others a
# wrong reply is put in at a random step.
_HISTORY_SHARE = 0.5


@dataclass(frozen=True)
class DataSummary:
    """What a build made.

    Attributes:
        traces: rows of the SFT set.
        pairs: rows of the DPO set; 0 when none were asked for, and then there is no such file.
        dropped: tasks whose trace did not pass its checker.
        sft: counts of the SFT set; dpo those of the DPO set.
        files: names of the files in the folder.
    """

    traces: int
    pairs: int
    dropped: int
    sft: Stats
    dpo: Stats | None
    files: tuple[str, ...]


def build(settings: DataSettings, out: Path, progress: Progress = silent) -> DataSummary:
    """Makes the data set and writes it to `out`, replacing what was there.

    Raises:
        TooldrillError: for a world that is unknown or held out, a tool range that is none, or when
            nothing came out.
    """
    _check(settings)
    total = settings.traces + settings.pairs
    traces = make_traces(settings, lambda done, _, note="": progress(done, total, note))
    if not traces:
        raise TooldrillError(
            "the data set would be empty: no trace passed its checker",
            "raise data.traces, or name other worlds in data.worlds",
        )
    pairs = make_pairs(
        traces,
        settings.pairs,
        settings.seed,
        lambda done, _, note="": progress(settings.traces + done, total, note),
    )
    if settings.pairs and not pairs:
        raise TooldrillError(
            "no preference pair could be made of these traces",
            "raise data.traces, or set data.pairs=0 to do without",
        )
    return _write(settings, out, [trace.row() for trace in traces], pairs)


def make_traces(settings: DataSettings, progress: Progress = silent) -> list[Trace]:
    """The verified traces of the settings, in the order of their tasks."""
    recoveries = round(settings.recovery * settings.traces)
    in_history = round(recoveries * _HISTORY_SHARE)
    tasks = make_tasks(
        settings.worlds,
        settings.traces,
        settings.seed,
        settings.tools,
        recovery=in_history / settings.traces,
        restraint=settings.restraint,
        masking=settings.masking,
        sharing=settings.sharing,
    )
    rng = random.Random(f"traces {settings.seed}")
    faulty = _chosen(tasks, recoveries - in_history, rng)
    classes = cycle(rng.sample(REFUSED_CLASSES, len(REFUSED_CLASSES)))
    traces: list[Trace] = []
    for done, task in enumerate(tasks, 1):
        own = random.Random(f"trace {settings.seed} {task.id}")
        first = next(classes) if task.id in faulty else None
        trace = record(task, own) if first is None else _recovery(task, first, own)
        if trace is not None:
            traces.append(trace)
        progress(done, len(tasks), f"traces: {task.world}")
    return traces


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


def _check(settings: DataSettings) -> None:
    trainable = world_names(Split.TRAIN)
    for name in settings.worlds:
        if get_world(name).split is not Split.TRAIN:
            raise TooldrillError(
                f"data.worlds: {name!r} is held out for evaluation and must not be trained on",
                f"name worlds among {', '.join(trainable)}",
            )
    fewest, most = settings.tools
    if not 1 <= fewest <= most:
        raise TooldrillError(
            f"data.tools: from {fewest} to {most} is not a range of tools",
            "write the fewest first, at least 1: data.tools=[2,6]",
        )


def _write(
    settings: DataSettings, out: Path, sft: list[dict[str, Any]], dpo: list[dict[str, Any]]
) -> DataSummary:
    sets = {"sft": sft, "dpo": dpo} if dpo else {"sft": sft}
    counted = {name: stats(rows) for name, rows in sets.items()}
    with atomic_directory(out) as folder:
        for name, rows in sets.items():
            write_jsonl(rows, folder / f"{name}.jsonl")
            write_parquet(rows, folder / f"{name}.parquet")
        card = data_card(settings, counted["sft"], counted.get("dpo"))
        (folder / "data_card.md").write_text(card, "utf-8")
        files = tuple(sorted(path.name for path in folder.iterdir()))
    return DataSummary(
        traces=len(sft),
        pairs=len(dpo),
        dropped=settings.traces - len(sft),
        sft=counted["sft"],
        dpo=counted.get("dpo"),
        files=files,
    )
