"""llama.cpp in process, on the real embedded model: replies do not depend on what runs beside."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_engine import replies

from tooldrill.agent.engines.base import Turn
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.engines.llama import LlamaEngine
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import conclusion_message, user
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.render import bundled_template
from tooldrill.agent.settings import EngineSettings, SamplingSettings
from tooldrill.data.worlds.catalog import get_world
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings


@pytest.fixture(scope="module")
def gguf() -> Path:
    path = resolve(ModelSettings()).gguf_path
    assert path is not None
    return path


def turn(number: int, sampling: SamplingSettings | None = None, context: int = 3) -> Turn:
    registry = get_world(("files", "inventory", "tickets")[number % 3]).registry
    tools = registry.select(registry.names[:context]).to_openai()
    prompt = f"Please see to box number {number * 7}, the red one, and tell me about it."
    native = get_protocol("native")
    return Turn(
        str(number), [user(prompt)], tools, native, sampling or SamplingSettings(), 24, number
    )


def engine(gguf: Path, parallel: int, context: int = 512) -> LlamaEngine:
    settings = EngineSettings(context=context, parallel=parallel)
    return LlamaEngine(gguf, settings, bundled_template())


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_replies_do_not_depend_on_what_runs_beside_them(gguf: Path, temperature: float) -> None:
    sampling = SamplingSettings(temperature=temperature, top_k=40, top_p=0.95, seed=5)
    turns = [turn(n, sampling) for n in range(7)]
    alone = engine(gguf, 1)
    expected = {key: g.text for key, g in replies(alone, turns).items()}
    assert len(set(expected.values())) > 1
    wide = engine(gguf, 4)
    for order in (turns, turns[::-1], turns[3:] + turns[:3]):
        given = replies(wide, order)
        assert {key: g.text for key, g in given.items()} == expected
    # By now most of every prompt is in some sequence's cache.
    assert (
        sum(g.cached_tokens for g in given.values())
        > sum(g.prompt_tokens for g in given.values()) // 2
    )
    for one in (alone, wide):
        one.close()


@pytest.mark.slow
def test_an_episode_keeps_its_cache_between_steps(gguf: Path) -> None:
    one = engine(gguf, 2)
    first = turn(1)
    one.submit(first)
    ((_, reply),) = one.collect()
    longer = [*first.messages, conclusion_message(reply.text), user("Once more, but shorter.")]
    one.submit(Turn(first.key, longer, first.tools, first.protocol, first.sampling, 8))
    ((_, second),) = one.collect()
    assert second.cached_tokens >= reply.prompt_tokens
    assert second.prompt_tokens > second.cached_tokens + 8
    one.close()


@pytest.mark.slow
def test_a_prompt_longer_than_the_context_is_a_failure_and_no_reply(gguf: Path) -> None:
    one = engine(gguf, 1, context=256)
    one.submit(turn(0, context=9))
    ((_, generation),) = one.collect()
    assert generation.failure is not None
    assert "256" in generation.failure
    one.close()


def test_what_is_no_gguf_is_refused_in_one_line(tmp_path: Path, gguf: Path) -> None:
    (tmp_path / "text.gguf").write_text("hello")
    with (tmp_path / "cut.gguf").open("wb") as file:
        file.write(gguf.read_bytes()[:100_000])
    for path, reason in [
        (tmp_path / "none.gguf", "no GGUF file"),
        (tmp_path / "text.gguf", "not a GGUF"),
        (tmp_path / "cut.gguf", "not a whole GGUF"),
        (tmp_path, "is a folder"),
    ]:
        with pytest.raises(TooldrillError, match=reason) as caught:
            GgufModel(path)
        assert caught.value.next_step
