"""An evaluation that is stopped from outside, with a real engine: nothing finished is lost, no half
episode counts, and what is drawn after it is what would have been drawn without it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_engine import open_engine, save_gguf

from tooldrill.agent.engines.base import Generation
from tooldrill.agent.episode import Outcome
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import EngineSettings, LoopSettings, SamplingSettings
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import Task
from tooldrill.eval.results import ModelInfo, Results
from tooldrill.eval.run import evaluate, partial_path
from tooldrill.eval.suites.task_set import TaskSet

SETTINGS = EngineSettings(context=8192, parallel=3, threads=1, gpu_layers=0)
MODEL = ModelInfo(name="tiny", source="tiny.gguf", sha256="d" * 64)


def loop(seed: int = 5, temperature: float = 1.0) -> LoopSettings:
    sampling = SamplingSettings(temperature=temperature, seed=seed)
    return LoopSettings(protocol="react_json", max_steps=3, max_reply_tokens=24, sampling=sampling)


class Stopped:
    """An engine that is stopped from outside after so many replies."""

    def __init__(self, inner: Any, replies: int, error: BaseException) -> None:
        self._inner, self._left, self._error = inner, replies, error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def collect(self) -> list[tuple[str, Generation]]:
        if self._left <= 0:
            raise self._error
        finished: list[tuple[str, Generation]] = self._inner.collect()
        self._left -= len(finished)
        return finished


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_gguf(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return make_tasks(["calendar", "contacts"], 7, 3, (2, 2), recovery=0.2, restraint=0.2)


@pytest.fixture
def run(gguf: Path, tasks: list[Task], tmp_path: Path) -> Callable[..., Results]:
    def run(
        out: str, settings: LoopSettings, stop: tuple[int, BaseException] | None = None
    ) -> Results:
        engine: Any = open_engine(gguf, SETTINGS.parallel, SETTINGS.context)
        try:
            asked = engine if stop is None else Stopped(engine, *stop)
            return evaluate(asked, MODEL, TaskSet(tasks), settings, SETTINGS, tmp_path / out)
        finally:
            engine.close()

    return run


def replies(results: Results) -> dict[str, list[str]]:
    return {e.task: [step.reply for step in e.steps] for e in results.episodes}


@pytest.mark.slow
@pytest.mark.parametrize("error", [KeyboardInterrupt(), TooldrillError("the endpoint is away")])
def test_a_resumed_run_draws_the_same_replies(
    run: Callable[..., Results], tmp_path: Path, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        run("broken.json", loop(), (11, error))
    assert not (tmp_path / "broken.json").exists()
    _, *rows = partial_path(tmp_path / "broken.json").read_text().splitlines()
    kept = [json.loads(row)["episode"] for row in rows]
    # Three at once, three replies each: eleven replies are three whole episodes and two halves.
    assert len(kept) == 3
    assert all(episode["outcome"] == "no_conclusion" for episode in kept)

    resumed, straight = run("broken.json", loop()), run("straight.json", loop())
    assert [e.outcome for e in resumed.episodes] == [Outcome.NO_CONCLUSION] * 7
    assert replies(resumed) == replies(straight)
    assert {e["task"]: [s["reply"] for s in e["steps"]] for e in kept}.items() <= (
        replies(straight).items()
    )
    # It is drawn: another seed gives other replies, and so does every step.
    other = replies(run("other.json", loop(seed=6)))
    assert all(other[task] != texts for task, texts in replies(straight).items())
    assert all(len(set(texts)) == 3 for texts in replies(straight).values())


def test_an_episode_that_had_just_ended_is_kept(
    rule_engine: Any, tmp_path: Path, tasks: list[Task]
) -> None:
    """The end comes from outside between the last reply and the moment it is taken."""

    class Late(rule_engine):  # type: ignore[misc]
        released = 0

        def release(self, key: str) -> None:
            self.released += 1
            if self.released == 3:
                raise KeyboardInterrupt

    out = tmp_path / "late.json"
    settings = LoopSettings(max_steps=2)
    engine = Late(lambda turn: "I have nothing to add.")
    with pytest.raises(KeyboardInterrupt):
        evaluate(engine, MODEL, TaskSet(tasks), settings, EngineSettings(), out)
    _, *rows = partial_path(out).read_text().splitlines()
    kept = [json.loads(row)["episode"] for row in rows]
    assert [episode["task"] for episode in kept] == [task.id for task in tasks[:3]]
    assert all(isinstance(episode["success"], bool) for episode in kept)
    again = rule_engine(lambda turn: "I have nothing to add.")
    results = evaluate(again, MODEL, TaskSet(tasks), settings, EngineSettings(), out)
    assert [key.split(":", 1)[1] for key in again.asked] == [task.id for task in tasks[3:]]
    assert results.task_ids == [task.id for task in tasks]
