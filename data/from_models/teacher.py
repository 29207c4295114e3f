"""A bigger model as a teacher: it solves training tasks in the loop.

Nothing of it is taken on trust: only episodes are kept that solve the task without a single
violation. Whatever it did is kept in a log, so that a killed run goes on and its failures can be
looked at. How a teacher rewords requests is another matter: see `rewording`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tooldrill.agent.engines.base import Engine
from tooldrill.agent.episode import Episode, Outcome
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress, silent
from tooldrill.agent.settings import LoopSettings
from tooldrill.data.from_models.append_log import AppendLog
from tooldrill.data.from_models.rollouts import Rollout, rollout_log
from tooldrill.data.from_models.taught import Failures, Taught, after
from tooldrill.data.ingest.contract import to_row
from tooldrill.data.ingest.conversation import DroppedError
from tooldrill.data.ingest.episodes import from_episode
from tooldrill.data.settings import DataSettings
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.running import run_tasks
from tooldrill.data.tasks.task import Split, Task, TaskKind
from tooldrill.data.worlds.catalog import get_world, world_names

Row = dict[str, Any]

ROLLOUTS = "episodes.jsonl"
_BLOCK = 50  # tasks drawn at once: more of them begin with the same ones


def training_tasks(settings: DataSettings, count: int, seed: int) -> list[Task]:
    """The first `count` tasks of a seed, of the training worlds; none that `data build` draws.

    Raises:
        TooldrillError: for a world that is unknown or held out.
    """
    for name in settings.worlds:
        if get_world(name).split is not Split.TRAIN:
            raise TooldrillError(
                f"data.worlds: {name!r} is held out for evaluation and must not be trained on",
                f"name worlds among {', '.join(world_names(Split.TRAIN))}",
            )
    tasks: list[Task] = []
    while len(tasks) < count:
        block = len(tasks) // _BLOCK
        drawn = make_tasks(
            settings.worlds,
            _BLOCK,
            random.Random(f"teacher {settings.seed} {seed} {block}").randrange(2**48),
            settings.tools,
            recovery=settings.recovery,
            restraint=settings.restraint,
            masking=settings.masking,
            sharing=settings.sharing,
        )
        tasks += [
            task.model_copy(update={"id": f"{task.id}-t{seed}.{block}"})
            for task in drawn[: count - len(tasks)]
        ]
    return tasks


def solve_tasks(
    tasks: Sequence[Task],
    engine: Engine,
    loop: LoopSettings,
    name: str,
    out: Path,
    *,
    progress: Progress = silent,
) -> Taught:
    """Has the teacher solve the tasks and keeps what is beyond reproach.

    Args:
        loop: as the teacher is run; watchdogs are off and no conclusion is forced, since neither
            is in the data.
        name: of the teacher, for the `source` column.
        out: folder of the log of episodes.

    Raises:
        TooldrillError: when the engine fails on every task, or the log is of another teacher.
    """
    loop = loop.model_copy(
        update={"watchdog": type(loop.watchdog)(enabled=False), "forced_conclusion": False}
    )
    identity = {"teacher": name, "source": engine.info.source, "loop": loop.model_dump(mode="json")}
    log = rollout_log(out / ROLLOUTS, identity)
    missing = [task for task in tasks if not _is_done(task, log)]
    failures = _run(missing, engine, loop, log, after(len(tasks) - len(missing), progress))
    taught = Taught(failures=failures.count)
    for task in tasks:
        if not _is_done(task, log):
            continue
        try:
            taught.rows.append(solved_row(log.done[task.id], name))
            taught.report.keep(f"teacher:{name}")
        except DroppedError as error:
            taught.report.drop(task.id, error)
    failures.require_some(taught.report.read)
    return taught


def solved_row(rollout: Rollout, name: str) -> Row:
    """The teacher's episode as a row of the SFT set.

    Raises:
        DroppedError: when it did not solve the task, or violated the contract on the way.
    """
    task, episode = rollout.task, rollout.episode
    kinds = [v.kind for step in episode.steps for v in step.violations]
    if kinds:
        raise DroppedError(f"violation:{kinds[0]}", task.id)
    if task.kind is TaskKind.RESTRAIN and any(step.calls for step in episode.steps):
        raise DroppedError("violation:needless_call", task.id)
    if episode.outcome is Outcome.CONCLUDED and episode.success is not True:
        raise DroppedError("unsolved", task.id)
    if task.oracle and not any(step.calls and not step.error for step in episode.steps):
        raise DroppedError("violation:missing_call", task.id)  # right, but only guessed
    row = to_row(from_episode(episode), f"{task.id}+{name}", f"teacher:{name}")
    return {**row, "kind": str(task.kind)}


def _run(
    tasks: Sequence[Task],
    engine: Engine,
    loop: LoopSettings,
    log: AppendLog[Rollout],
    progress: Progress,
) -> Failures:
    failures = Failures()
    done = solved = 0
    progress(0, len(tasks))

    def finish(task: Task, episode: Episode) -> None:
        nonlocal done, solved
        if episode.outcome is Outcome.FAILED:
            failures.add(episode.failure)
        else:
            solved += episode.success is True
            log.append(Rollout(task=task, episode=episode, protocol=loop.protocol))
        done += 1
        progress(done, len(tasks), f"{solved} of {done} solved")

    run_tasks(tasks, engine, loop, finish)
    return failures


def _is_done(task: Task, log: AppendLog[Rollout]) -> bool:
    # With other settings, a task of the same id may be another one.
    return task.id in log.done and log.done[task.id].task == task
