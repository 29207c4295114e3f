"""Tasks played through the real loop with given replies, and judged in their world."""

from __future__ import annotations

from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.engines.base import Generation
from tooldrill.agent.messages import call_message
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.run import EpisodeRun, Job
from tooldrill.agent.settings import LoopSettings
from tooldrill.data.from_models.rollouts import Rollout
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import judge, open_task
from tooldrill.data.tasks.task import Task

WORLDS = ["files", "inventory", "tickets"]


def draw(count: int = 24, recovery: float = 0.0, restraint: float = 0.0) -> list[Task]:
    return make_tasks(
        WORLDS, count, 11, (2, 5), recovery=recovery, restraint=restraint, masking=0.3
    )


def text_of(call: Call, thought: str = "", protocol: str = "native", **extra: Any) -> str:
    """The reply that makes the call, with more arguments."""
    changed = Call(call.name, {**call.arguments, **extra})
    return get_protocol(protocol).write(call_message(changed, thought))


def played(task: Task, texts: list[str], **loop: Any) -> Rollout:
    """The episode of these replies, after which its steps are used up."""
    settings = LoopSettings(**loop)
    with open_task(task) as opened:
        job = Job(task.id, opened.messages, opened.registry, opened.session, len(texts), task.world)
        run = EpisodeRun(job, get_protocol(settings.protocol), settings)
        for text in texts:
            run.take(Generation(text=text))
        episode = run.episode
        assert episode is not None
        solved = judge(task, opened.session, episode.conclusion)
        judged = episode.model_copy(update={"success": solved})
        return Rollout(task=task, episode=judged, protocol=settings.protocol)
