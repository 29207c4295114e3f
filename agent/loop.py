"""The loop: many episodes over one engine, each think-call-observe until it concludes.

Jobs are taken as slots become free, so that a thousand tasks never hold a thousand sandboxes open.
What one episode is made of is `run`'s work; opening and closing environments is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial

from tooldrill.agent.constrain.grammar import GrammarError
from tooldrill.agent.engines.base import Engine, Generation, Turn
from tooldrill.agent.episode import Episode, Outcome, Step
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.hashing import stable_number
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.run import EpisodeRun, Job
from tooldrill.agent.settings import LoopSettings

__all__ = ["Job", "run_episodes"]

OnEpisode = Callable[[Job, Episode], None]


def run_episodes(
    jobs: Iterable[Job],
    engine: Engine,
    settings: LoopSettings,
    on_done: OnEpisode | None = None,
    on_step: Callable[[Job, Step], None] | None = None,
    *,
    on_text: Callable[[Job, str], None] | None = None,
    on_abandoned: OnEpisode | None = None,
) -> list[Episode]:
    """Runs every job to its end and returns the episodes in the order of the jobs.

    An episode that the engine refuses or fails at ends as failed; the others go on. Whatever else
    is raised (Ctrl-C too) ends the loop: those under way are handed to `on_abandoned` as they are,
    the engine is free for other episodes, and the exception goes on its way.

    Args:
        jobs: taken one by one, as slots become free.
        engine: generates the replies.
        settings: protocol, budgets, sampling, watchdogs.
        on_done: called as each episode ends, before its slot is given to the next job.
        on_step: called after each reply and its observation.
        on_text: called with each new piece of a reply while it is generated.
        on_abandoned: called for each episode that `on_done` has not taken when the loop is ended
            from outside: most are unfinished, one may have ended by itself.
    """
    return _Loop(engine, settings, on_done, on_step, on_text, on_abandoned).run(jobs)


class _Loop:
    """The episodes under way, by the key under which the engine knows them."""

    def __init__(  # noqa: PLR0917 - as `run_episodes` takes them
        self,
        engine: Engine,
        settings: LoopSettings,
        on_done: OnEpisode | None,
        on_step: Callable[[Job, Step], None] | None,
        on_text: Callable[[Job, str], None] | None,
        on_abandoned: OnEpisode | None,
    ) -> None:
        self._engine, self._settings = engine, settings
        self._on_done, self._on_step = on_done, on_step
        self._on_text, self._on_abandoned = on_text, on_abandoned
        self._protocol = engine.protocol(settings.protocol)
        if settings.constrain != "off":
            _check_constrainable(engine, self._protocol)
        self._active: dict[str, tuple[int, EpisodeRun]] = {}
        self._episodes: dict[int, Episode] = {}

    def run(self, jobs: Iterable[Job]) -> list[Episode]:
        waiting = enumerate(jobs)
        try:
            while True:
                while len(self._active) < self._engine.slots:
                    number, job = next(waiting, (0, None))
                    if job is None:
                        break
                    self._begin(number, job)
                if not self._active:
                    return [self._episodes[number] for number in sorted(self._episodes)]
                for key, generation in self._engine.collect():
                    self._take(key, generation)
        except BaseException as error:
            self._abandon(error)
            raise

    def _begin(self, number: int, job: Job) -> None:
        key = f"{number}:{job.task_id}"
        self._active[key] = (number, EpisodeRun(job, self._protocol, self._settings))
        self._submit(key)

    def _submit(self, key: str) -> None:
        _, run = self._active[key]
        turn = Turn(
            key=key,
            messages=run.messages,
            tools=run.tools,
            protocol=self._protocol,
            sampling=self._settings.sampling,
            max_tokens=self._settings.max_reply_tokens,
            # Not the job's place: a resumed run has other jobs before it.
            offset=stable_number(run.job.task_id, len(run.steps)),
            on_text=None if self._on_text is None else partial(self._on_text, run.job),
            grammar=run.grammar,
            watch=run.reply_watch(),
        )
        try:
            self._engine.submit(turn)
        except GrammarError:
            raise
        except TooldrillError as error:
            # A conversation that this engine cannot take says nothing about the others.
            self._take(key, Generation(failure=f"{error.message} ({error.next_step})"))

    def _take(self, key: str, generation: Generation) -> None:
        number, run = self._active[key]
        step = run.take(generation)
        if step is not None and self._on_step is not None:
            self._on_step(run.job, step)
        if run.episode is None:
            self._submit(key)
            return
        self._engine.release(key)
        self._episodes[number] = run.episode
        if self._on_done is not None:
            self._on_done(run.job, run.episode)
        # Only now: until it is known to be taken, an end from outside hands it over.
        del self._active[key]

    def _abandon(self, error: BaseException) -> None:
        """Hands over every episode that `on_done` has not taken, ended or not."""
        with ExitStack() as every:
            for key, (_, run) in reversed(self._active.items()):  # the last added is called first
                every.callback(self._engine.release, key)
                if self._on_abandoned is not None:
                    episode = run.episode or run.abandon(*_what_stopped(error))
                    every.callback(self._on_abandoned, run.job, episode)


def _check_constrainable(engine: Engine, protocol: CallProtocol) -> None:
    reason = engine.cannot_constrain(protocol)
    if reason is not None:
        raise TooldrillError(reason, "set loop.constrain=off, or run the GGUF in process")


def _what_stopped(error: BaseException) -> tuple[str, Outcome]:
    if isinstance(error, TooldrillError):
        return error.message, Outcome.FAILED
    if isinstance(error, Exception):
        return ": ".join(filter(None, (type(error).__name__, str(error)))), Outcome.FAILED
    return type(error).__name__, Outcome.INTERRUPTED
