"""Constrained replies of the real embedded model."""

from __future__ import annotations

from pathlib import Path

import pytest
from grammar_texts import fits

from tooldrill.agent.checker import check_reply
from tooldrill.agent.constrain.grammar import reply_grammar
from tooldrill.agent.engines.base import Generation, Turn
from tooldrill.agent.engines.llama import LlamaEngine
from tooldrill.agent.messages import user
from tooldrill.agent.protocols.base import is_malformed
from tooldrill.agent.reading import read_reply
from tooldrill.agent.render import bundled_template
from tooldrill.agent.settings import (
    ConstrainMode,
    EngineSettings,
    ProtocolName,
    SamplingSettings,
)
from tooldrill.agent.tool import Registry
from tooldrill.data.worlds.catalog import get_world
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

pytestmark = pytest.mark.slow

PROMPTS = (
    "Read the file notes.txt.",
    "Say hello and nothing else.",
    "List the folder src, hidden entries too.",
    "Write the line 'it is \"done\"' into a.txt.",
)


@pytest.fixture(scope="module")
def engine() -> LlamaEngine:
    path: Path | None = resolve(ModelSettings()).gguf_path
    assert path is not None
    return LlamaEngine(path, EngineSettings(context=512, parallel=2), bundled_template())


def replies(
    engine: LlamaEngine, protocol: ProtocolName, mode: ConstrainMode, temperature: float = 0.0
) -> tuple[Registry, list[Generation]]:
    world = get_world("files").registry
    registry = world.select(["read_file", "list_dir", "write_file"])
    spoken = engine.protocol(protocol)
    grammar = reply_grammar(registry, spoken, mode)
    sampling = SamplingSettings(temperature=temperature, seed=7)
    made = []
    for number, prompt in enumerate(PROMPTS):
        key, messages, tools = f"{number}", [user(prompt)], registry.to_openai()
        turn = Turn(key, messages, tools, spoken, sampling, 64, number, grammar=grammar)
        engine.submit(turn)
        ((_, generation),) = engine.collect()
        engine.release(key)
        assert generation.failure is None
        made.append(generation)
    return registry, made


@pytest.mark.parametrize("temperature", [0.0, 1.2])
@pytest.mark.parametrize("protocol", ["native", "react_json"])
def test_nothing_impossible_happens(
    engine: LlamaEngine, protocol: ProtocolName, temperature: float
) -> None:
    registry, made = replies(engine, protocol, "full", temperature)
    spoken = engine.protocol(protocol)
    grammar = reply_grammar(registry, spoken, "full")
    assert grammar is not None
    for generation in made:
        reply = read_reply(generation.text, spoken, registry)
        kinds = {one.kind for one in check_reply(reply, registry)}
        assert not kinds & grammar.impossible
        if generation.stop == "stop":
            assert fits(grammar, generation.text)
            assert protocol == "native" or not is_malformed(reply)


@pytest.mark.parametrize("protocol", ["native", "react_json"])
def test_greedy_replies_that_fit_by_themselves_are_not_changed(
    engine: LlamaEngine, protocol: ProtocolName
) -> None:
    registry, free = replies(engine, protocol, "off")
    compared = 0
    for mode in ("call", "full"):
        grammar = reply_grammar(registry, engine.protocol(protocol), mode)
        assert grammar is not None
        _, held = replies(engine, protocol, mode)
        for one, other in zip(free, held, strict=True):
            if one.stop == "stop" and fits(grammar, one.text):
                assert other.text == one.text
                compared += 1
    assert compared or protocol == "react_json"
