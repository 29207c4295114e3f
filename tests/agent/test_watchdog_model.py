"""A real model that runs into a circle: its reply is ended early and it goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tooldrill.agent.engines.llama import LlamaEngine
from tooldrill.agent.episode import Episode, Outcome, TriggerName
from tooldrill.agent.functions import FunctionEnvironment
from tooldrill.agent.loop import Job, run_episodes
from tooldrill.agent.looping_text import find_loop
from tooldrill.agent.messages import user
from tooldrill.agent.render import bundled_template
from tooldrill.agent.settings import EngineSettings, LoopSettings, WatchdogSettings
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

PROMPT = "Write a very long poem of a thousand lines about rain."
TOKENS = 300


def look(key: str) -> str:
    """Look a value up."""
    return f"nothing under {key}"


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaEngine]:
    path = resolve(ModelSettings()).gguf_path
    assert path is not None
    engine = LlamaEngine(path, EngineSettings(context=1024, parallel=1), bundled_template())
    yield engine
    engine.close()


def episode(engine: LlamaEngine, *, watched: bool) -> Episode:
    environment = FunctionEnvironment({"look": look})
    job = Job("poem", [user(PROMPT)], environment.registry, environment, 2)
    loop = LoopSettings(max_reply_tokens=TOKENS, watchdog=WatchdogSettings(enabled=watched))
    return run_episodes([job], engine, loop)[0]


@pytest.mark.slow
def test_a_looping_reply_of_a_real_model_is_ended_early(engine: LlamaEngine) -> None:
    bare = episode(engine, watched=False).steps[0]
    assert (bare.stop, bare.reply_tokens) == ("length", TOKENS)
    watched = episode(engine, watched=True)
    first = watched.steps[0]
    assert (first.stop, first.error, first.conclusion) == ("looping", True, None)
    # It is the beginning of what the bare model wrote, ended where the rule was first met.
    assert bare.reply.startswith(first.reply)
    assert first.reply_tokens < 2 * TOKENS / 3
    settings = WatchdogSettings()
    assert settings.looping_repeats is not None
    loop = find_loop(first.reply, settings.looping_repeats, settings.looping_characters)
    assert loop is not None
    assert first.injected is not None
    assert first.injected.trigger is TriggerName.LOOPING_TEXT
    # The same engine goes on with the same episode.
    assert len(watched.steps) == 2
    assert watched.outcome in (Outcome.CONCLUDED, Outcome.NO_CONCLUSION)
