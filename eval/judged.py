"""The judged episodes of a results file, each with its replies; what they amount to is `measure`'s.

Episodes whose engine failed say nothing about the model and are left out here.
"""

from __future__ import annotations

from dataclasses import dataclass

from tooldrill.agent.episode import Episode, Outcome
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.tasks.task import Task, TaskKind
from tooldrill.eval.replies import JudgedReply, judged_replies, tool_calls
from tooldrill.eval.results import Results


@dataclass(frozen=True)
class Judged:
    """An episode whose engine did not fail, and its replies.

    Attributes:
        task: None in files that were written before tasks were kept.
    """

    episode: Episode
    replies: list[JudgedReply]
    task: Task | None = None

    @property
    def must_call(self) -> bool:
        """Whether the task needs a call."""
        return self.episode.kind not in (TaskKind.RESTRAIN, TaskKind.STOP)

    @property
    def concluded(self) -> bool:
        """By itself: a conclusion that was forced is none of the model's choice."""
        return self.episode.outcome is Outcome.CONCLUDED and not self.episode.forced

    @property
    def called(self) -> bool:
        """Whether a tool was called at least once."""
        # Where a conclusion is forced, no tools are offered.
        return any(tool_calls(step) for step in self.episode.own_steps)

    @property
    def disciplined(self) -> int:
        """Replies without a violation."""
        return sum(reply.disciplined for reply in self.replies)

    @property
    def clean(self) -> bool:
        """Whether no reply has a violation."""
        return self.disciplined == len(self.replies)

    @property
    def classes(self) -> frozenset[ViolationClass]:
        """The classes of violation that some reply has."""
        return frozenset(v.kind for reply in self.replies for v in reply.violations)

    @property
    def cluster(self) -> str:
        """The task's template; the task itself where it was made without one."""
        return self.episode.template or self.episode.task


def judged(results: Results) -> list[Judged]:
    """The judged episodes, in suite order."""
    tasks = {task.id: task for task in results.tasks}
    return [
        Judged(episode, judged_replies(episode), tasks.get(episode.task))
        for episode in results.episodes
        if episode.outcome is not Outcome.FAILED
    ]
