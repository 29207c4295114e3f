"""Tasks through the loop: each in a world of its own, judged when its episode has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Protocol

from tooldrill.agent.engines.base import Engine
from tooldrill.agent.environment import Environment
from tooldrill.agent.episode import Episode, Message, Outcome
from tooldrill.agent.loop import Job, run_episodes
from tooldrill.agent.settings import LoopSettings
from tooldrill.agent.tool import Registry
from tooldrill.data.tasks.solve import open_task
from tooldrill.data.tasks.task import Task


class Opened(Protocol):
    """A task ready for its next reply (see `tooldrill.data.tasks.solve.OpenedTask`)."""

    @property
    def task(self) -> Task: ...

    @property
    def registry(self) -> Registry: ...

    @property
    def session(self) -> Environment: ...

    @property
    def messages(self) -> list[Message]: ...

    def judge(self, episode: Episode) -> bool:
        """Whether the episode, which has ended, solved the task."""

    def close(self) -> None: ...


def run_tasks(
    tasks: Iterable[Task],
    engine: Engine,
    loop: LoopSettings,
    on_done: Callable[[Task, Episode], None],
    open_one: Callable[[Task], Opened] | None = None,
) -> None:
    """Runs every task once; worlds are opened as slots become free, and closed in any case.

    When it is stopped from outside, an episode that had ended just then is still handed over; those
    that had not are dropped.

    Args:
        tasks: with ids of their own.
        on_done: takes each episode as it ends, with the checker's verdict in `success`. It is None
            where the engine failed, which says nothing about the model.
        open_one: opens a task; in its world when None.
    """
    opened: dict[str, Opened] = {}

    def jobs() -> Iterator[Job]:
        for task in tasks:
            opened[task.id] = (open_one or open_task)(task)
            yield _job(opened[task.id], loop)

    def finish(job: Job, episode: Episode) -> None:
        ended = opened.pop(job.task_id)
        with closing(ended):
            judged = _judged(ended, episode)
        on_done(ended.task, judged)

    def rescue(job: Job, episode: Episode) -> None:
        ended = episode.outcome in (Outcome.CONCLUDED, Outcome.NO_CONCLUSION)
        if ended and job.task_id in opened:
            finish(job, episode)

    try:
        run_episodes(jobs(), engine, loop, on_done=finish, on_abandoned=rescue)
    finally:
        for left in opened.values():
            left.close()


def _job(opened: Opened, loop: LoopSettings) -> Job:
    task = opened.task
    return Job(
        task_id=task.id,
        messages=list(opened.messages),
        registry=opened.registry,
        environment=opened.session,
        max_steps=min(task.max_steps, loop.max_steps),
        world=task.world,
        template=task.template,
        kind=task.kind.value,
    )


def _judged(opened: Opened, episode: Episode) -> Episode:
    if episode.outcome is Outcome.FAILED:
        return episode
    return episode.model_copy(update={"success": opened.judge(episode)})
