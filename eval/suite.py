"""The held-out tasks of an evaluation, drawn from a seed. Making them is the data stage's work."""

from __future__ import annotations

from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import Task
from tooldrill.eval.settings import EvalSettings
from tooldrill.eval.suites.task_set import TaskSet


def heldout_tasks(settings: EvalSettings) -> list[Task]:
    """The tasks every model of a run is measured on: same settings, same tasks."""
    return make_tasks(
        settings.worlds,
        settings.tasks,
        settings.seed,
        settings.tools,
        recovery=settings.recovery,
        restraint=settings.restraint,
    )


def heldout_set(settings: EvalSettings) -> TaskSet:
    """The same tasks, with the seed they were drawn from."""
    return TaskSet(heldout_tasks(settings), seed=settings.seed)
