"""What `llama-server --jinja` makes of a request is, token for token, what the loop makes of it.

For every chat template that tooldrill ships, in a GGUF whose vocabulary has the family's marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from family_tokenizers import FAMILIES, tokenizer_of, tokenizer_with
from real_llama_server import real_server
from served_conversations import ALL_TURNS, CONVERSATIONS, EVERYTHING
from tiny_served import CONTEXT, save_gguf, scene, served_ids

from tooldrill.agent.engines.base import Turn
from tooldrill.agent.engines.llama import LlamaEngine
from tooldrill.agent.protocols.catalog import PROTOCOLS
from tooldrill.agent.render import BUNDLED_TEMPLATES, bundled_template
from tooldrill.agent.settings import EngineSettings, ProtocolName, SamplingSettings
from tooldrill.agent.turns import FITTING, fitting_template
from tooldrill.export.serving.client import ServedModel
from tooldrill.export.serving.llama_server import llama_server
from tooldrill.export.serving.reference import Reference
from tooldrill.export.serving.scenes import NUMBERS, TEN
from tooldrill.export.serving.session import Session

pytestmark = pytest.mark.slow

# A model's own template, with turns of no family that is known.
OWN_MARKS = ["<|role|>", "<|text|>", "<|over|>"]
OWN = (
    "{{ bos_token }}{% for m in messages %}{{ '<|role|>' + m['role'] + '<|text|>' + m['content'] }}"
    "{{ '<|over|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|role|>assistant<|text|>' }}{% endif %}"
)


def embedded(name: str, folder: Path) -> Path:
    """A tiny model whose vocabulary has the marks of the template, which stands in the file."""
    if name == FITTING:
        tokenizer = tokenizer_with(OWN_MARKS, opens=True)
        found, source = fitting_template(OWN, "<bos>", "<eos>", lambda _: False)
        assert found == FITTING
    else:
        tokenizer, source = tokenizer_of(name), bundled_template(name)
    return save_gguf(tokenizer, source, folder)


@pytest.fixture(scope="module", params=[*BUNDLED_TEMPLATES, FITTING])
def sessions(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Session]]:
    """The tiny model behind a server, in each protocol."""
    path = embedded(request.param, tmp_path_factory.mktemp("tiny"))
    reference = Reference(path)
    with llama_server(real_server(), path, context=CONTEXT, options=["-t", "1"]) as server:
        served = ServedModel(server.url)
        yield {
            name: Session(served, reference, name, reference.template.protocol(name))
            for name in PROTOCOLS
        }
        served.close()
    reference.close()


def test_every_shipped_template_is_tried_here() -> None:
    folder = Path(__file__).parents[2]
    # Those of the release folder make pages, not prompts.
    files = [path for stage in ("agent", "data", "training", "export/serving", "eval")
             for path in (folder / stage).rglob("*.jinja")]  # fmt: skip
    shipped = {path.stem for path in files}
    assert shipped == {*BUNDLED_TEMPLATES, "_signatures", "_conversation"}
    assert set(FAMILIES) == set(BUNDLED_TEMPLATES)


@pytest.mark.parametrize("protocol", list(PROTOCOLS))
@pytest.mark.parametrize("name", list(CONVERSATIONS))
def test_the_server_makes_the_loops_tokens(
    sessions: dict[str, Session], name: str, protocol: str
) -> None:
    session, (messages, tools) = sessions[protocol], CONVERSATIONS[name]
    one = scene(messages, tools)
    expected, given = session.prompt_ids(one), served_ids(session, messages, tools)
    assert given == expected, session.reference.parting(expected, given)
    answer = session.served.reply(*session.request(one), max_tokens=1)
    assert (answer.error, answer.prompt_tokens) == ("", len(expected))


def test_numbers_are_written_as_python_writes_them(sessions: dict[str, Session]) -> None:
    session = sessions["native"]
    text = session.reference.text(served_ids(session, [*NUMBERS.messages], NUMBERS.tools))
    assert '{"degrees": 21.0, "hours": 0.25, "meter": 1234567.5}' in text
    assert "number(0.0..99.5) = 20.0" in text


@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_every_turn_keeps_the_servers_tokens_before_it(
    sessions: dict[str, Session], protocol: str
) -> None:
    session = sessions[protocol]
    tools = [*EVERYTHING, *TEN]
    _, end = session.reference.ending
    before: list[int] = []
    turns = 0
    for index, message in enumerate(ALL_TURNS):
        if message["role"] != "assistant":
            continue
        prompt = served_ids(session, ALL_TURNS[:index], tools)
        assert prompt[: len(before)] == before
        before = [*prompt, *session.reference.tokenize(session.protocol.write(message)), *end]
        turns += 1
    assert served_ids(session, ALL_TURNS, tools)[: len(before)] == before
    assert turns == 5


@pytest.mark.parametrize("family", BUNDLED_TEMPLATES)
def test_the_engine_in_process_reads_these_very_tokens(family: str, tmp_path: Path) -> None:
    path = embedded(family, tmp_path)
    settings = EngineSettings(context=CONTEXT, parallel=1, threads=1)
    messages, tools = CONVERSATIONS["all turns"]
    with closing(Reference(path)) as reference, closing(LlamaEngine(path, settings)) as engine:
        names: tuple[ProtocolName, ...] = ("native", "react_json")
        for name in names:
            protocol = engine.protocol(name)
            engine.submit(Turn(name, messages, tools, protocol, SamplingSettings(), 1))
            ((_, generation),) = engine.collect()
            expected = reference.prompt_ids(messages, tools, protocol)
            assert (generation.failure, generation.prompt_tokens) == (None, len(expected))
            engine.release(name)
