"""The loop: many episodes over one engine, each think-call-observe until it concludes.

Jobs are taken as slots become free, so that a thousand tasks never hold a thousand sandboxes open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tooldrill.agent.engines.base import Engine, Turn
from tooldrill.agent.episode import Episode, Step
from tooldrill.agent.run import EpisodeRun, Job
from tooldrill.agent.settings import LoopSettings

__all__ = ["Job", "run_episodes"]


def run_episodes(
    jobs: Iterable[Job],
    engine: Engine,
    settings: LoopSettings,
    on_done: Callable[[Job, Episode], None] | None = None,
    on_step: Callable[[Job, Step], None] | None = None,
) -> list[Episode]:
    """Runs every job to its end and returns the episodes in the order of the jobs.

    Args:
        jobs: taken one by one, as slots become free.
        engine: generates the replies.
        settings: protocol, budgets, sampling, watchdogs.
        on_done: called as each episode ends, before its slot is given to the next job.
        on_step: called after each reply and its observation.
    """
    protocol = engine.protocol(settings.protocol)
    waiting = enumerate(jobs)
    active: dict[str, tuple[int, EpisodeRun]] = {}
    episodes: dict[int, Episode] = {}

    def submit(key: str, number: int, run: EpisodeRun) -> None:
        engine.submit(
            Turn(
                key=key,
                messages=run.messages,
                tools=run.job.registry.to_openai(),
                protocol=protocol,
                sampling=settings.sampling,
                max_tokens=settings.max_reply_tokens,
                offset=number,
            )
        )

    def fill() -> None:
        while len(active) < engine.slots:
            number, job = next(waiting, (0, None))
            if job is None:
                return
            run = EpisodeRun(job, protocol, settings)
            key = f"{number}:{job.task_id}"
            active[key] = (number, run)
            submit(key, number, run)

    fill()
    while active:
        for key, generation in engine.collect():
            number, run = active[key]
            step = run.take(generation)
            if step is not None and on_step is not None:
                on_step(run.job, step)
            if run.episode is None:
                submit(key, number, run)
                continue
            engine.release(key)
            del active[key]
            episodes[number] = run.episode
            if on_done is not None:
                on_done(run.job, run.episode)
        fill()
    return [episodes[number] for number in sorted(episodes)]
