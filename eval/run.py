"""Runs a model on tasks and writes a results file; a killed run goes on where it stopped.

Every task is run in a world of its own (`tooldrill.data.tasks.running`); the verdicts come from
`grade`. Opening models is `models`' work.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tooldrill.agent.engines.base import Engine
from tooldrill.agent.episode import Episode, Outcome
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.meter import Meter
from tooldrill.agent.progress import Progress, silent
from tooldrill.agent.settings import EndpointSettings, EngineSettings, LoopSettings
from tooldrill.data.tasks.running import run_tasks
from tooldrill.data.tasks.task import Task
from tooldrill.eval.grade import grade
from tooldrill.eval.partial import PartialResults
from tooldrill.eval.results import (
    Condition,
    ModelInfo,
    Results,
    Suite,
    current_versions,
    suite_of,
)
from tooldrill.eval.suites.task_set import TaskSet

# What a server tells of the model: with any of it changed, it is another one.
_KNOWN_BY = ("file", "quantization", "size", "parameters", "calls")


def evaluate(  # noqa: PLR0917 - the parts of an evaluation, in the order they are made
    engine: Engine,
    model: ModelInfo,
    task_set: TaskSet,
    loop: LoopSettings,
    engine_settings: EngineSettings,
    out: Path,
    progress: Progress = silent,
    *,
    endpoint: EndpointSettings | None = None,
    cell: str = "",
) -> Results:
    """Runs every task once and writes the results to `out`.

    Every finished episode is kept at once in `<out>.partial.jsonl`; a run that was killed goes on
    from there when model, tasks and condition are the same. The file is removed at the end.

    Args:
        endpoint: how the model is asked, where it is served.
        cell: what the condition is called (`tooldrill.eval.cells`).

    Raises:
        TooldrillError: when there are no tasks, two share an id, or the engine failed every time.
    """
    tasks = task_set.tasks
    _check_tasks(tasks)
    suite = suite_of(tasks, task_set.seed, task_set.name)
    condition = Condition(loop=loop, engine=engine_settings, endpoint=endpoint)
    partial = PartialResults(partial_path(out), _identity(engine, model, suite, condition))
    try:
        with Meter() as meter:
            _run_missing(engine, task_set, loop, partial, progress)
    except TooldrillError:
        # Refused before the first episode: there is nothing to go on from.
        if not partial.episodes:
            partial.remove()
        raise
    episodes = [partial.episodes[task.id] for task in tasks]
    _check_engine(episodes, model)
    results = Results(
        model=model,
        suite=suite,
        condition=condition,
        cell=cell,
        engine=engine.info,
        task_ids=[task.id for task in tasks],
        tasks=list(tasks),
        labels=list(task_set.labels),
        episodes=episodes,
        seconds=round(partial.seconds, 3),
        peak_memory=meter.peak_memory if endpoint is None else None,
        versions=current_versions(),
    )
    results.save(out)
    partial.remove()
    return results


def partial_path(out: Path) -> Path:
    """Where the finished episodes of an unfinished evaluation are kept."""
    return out.with_name(out.name + ".partial.jsonl")


def _run_missing(
    engine: Engine,
    task_set: TaskSet,
    loop: LoopSettings,
    partial: PartialResults,
    progress: Progress,
) -> None:
    tasks = task_set.tasks
    missing = [task for task in tasks if task.id not in partial.episodes]
    before, started = partial.seconds, time.perf_counter()
    progress(len(partial.episodes), len(tasks), "resumed" if partial.episodes else "")

    def finish(task: Task, episode: Episode) -> None:
        partial.seconds = before + time.perf_counter() - started
        partial.append(grade(episode, task, episode.success is True))
        progress(len(partial.episodes), len(tasks), _note(partial.episodes))

    run_tasks(missing, engine, loop, finish, task_set.open_one)


def _note(episodes: dict[str, Episode]) -> str:
    solved = sum(episode.success is True for episode in episodes.values())
    return f"{solved} of {len(episodes)} solved"


def _identity(
    engine: Engine, model: ModelInfo, suite: Suite, condition: Condition
) -> dict[str, Any]:
    # A file is known by its content wherever it lies; an endpoint by its address and what it says.
    told = [f"{key}={model.server[key]}" for key in _KNOWN_BY if key in model.server]
    known_by = model.sha256 or " ".join([model.source, model.name, *told])
    return {
        "model": known_by,
        "adapters": [adapter.sha256 for adapter in engine.info.adapters],
        "suite": suite.sha256,
        "condition": condition.replies,
    }


def _check_tasks(tasks: Sequence[Task]) -> None:
    if not tasks:
        raise TooldrillError("there are no tasks to evaluate", "set eval.tasks to at least 1")
    seen: set[str] = set()
    for task in tasks:
        if task.id in seen:
            raise TooldrillError(f"two tasks have the id {task.id!r}", "give every task its own id")
        seen.add(task.id)


def _check_engine(episodes: Sequence[Episode], model: ModelInfo) -> None:
    if any(episode.outcome is not Outcome.FAILED for episode in episodes):
        return
    raise TooldrillError(
        f"{model.name} gave no reply in any of {len(episodes)} episodes: {episodes[0].failure}",
        "check that the model or endpoint runs and that eval.engine.context holds the prompt",
    )
