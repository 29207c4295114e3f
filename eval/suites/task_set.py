"""Tasks as they are measured: drawn or the user's own, with what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from tooldrill.data.tasks.running import Opened
from tooldrill.data.tasks.task import Task


class Labels(BaseModel):
    """What a task is an example of, for the rates of its like.

    Attributes:
        variant: which kind of case of its suite.
        group: cases that belong together have the same (a task and its twin).
        tools: how many are offered.
        steps: calls of the oracle.
        before: calls that went well before the error that the task begins with; None without one.
        bait: how it tempts to the violation that `variant` names; empty where it does not tempt.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    variant: str
    group: str
    tools: int
    steps: int
    before: int | None = None
    bait: str = ""


@dataclass(frozen=True)
class Case:
    """A task and what it is an example of."""

    task: Task
    labels: Labels

    @classmethod
    def of(
        cls, task: Task, variant: str, group: str = "", before: int | None = None, bait: str = ""
    ) -> Case:
        """The case, counted from its task; a case without a group is one by itself."""
        labels = Labels(
            variant=variant,
            group=group or task.id,
            tools=len(task.tools),
            steps=len(task.oracle),
            before=before,
            bait=bait,
        )
        return cls(task, labels)


@dataclass(frozen=True)
class TaskSet:
    """What a model is run on.

    Attributes:
        name: of the suite; None for the tasks of a run's config.
        seed: what the tasks were drawn from; None when they came from elsewhere.
        labels: one for each task, or none at all.
        open_one: opens a task; in its world when None.
    """

    tasks: Sequence[Task]
    name: str | None = None
    seed: int | None = None
    labels: Sequence[Labels] = ()
    open_one: Callable[[Task], Opened] | None = None
