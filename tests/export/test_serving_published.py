"""Published chat templates: what llama-server makes of a request, beside what the loop makes of it.

They are read where `$LLAMA_CPP_DIR` names a checkout of llama.cpp; none is kept here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from family_tokenizers import tokenizer_with
from real_llama_server import real_server
from served_conversations import CONVERSATIONS
from tiny_served import CONTEXT, save_gguf, scene

from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import Tools
from tooldrill.agent.settings import ProtocolName
from tooldrill.export.serving.client import ServedModel
from tooldrill.export.serving.llama_server import llama_server
from tooldrill.export.serving.reference import Reference
from tooldrill.export.serving.scenes import SCENES
from tooldrill.export.serving.session import Session

pytestmark = pytest.mark.slow

FOLDER = Path(os.environ.get("LLAMA_CPP_DIR", "/nowhere")) / "models/templates"
NAMES = (
    "Qwen-Qwen3-0.6B",
    "Qwen-Qwen2.5-7B-Instruct",
    "Qwen3.5-4B",
    "Qwen3-Coder",
    "meta-llama-Llama-3.1-8B-Instruct",
    "meta-llama-Llama-3.2-3B-Instruct",
    "meta-llama-Llama-3.3-70B-Instruct",
    "google-gemma-2-2b-it",
    "LFM2.5-8B-A1B",
    "LFM2.5-Instruct",
    "LFM2-8B-A1B",
    "ibm-granite-granite-4.0",
    "ibm-granite-granite-4.1",
    "HuggingFaceTB-SmolLM3-3B",
    "microsoft-Phi-3.5-mini-instruct",
    "mistralai-Mistral-Nemo-Instruct-2407",
    "mistralai-Ministral-3-14B-Reasoning-2512",
    "Mistral-Small-3.2-24B-Instruct-2506",
    "NousResearch-Hermes-3-Llama-3.1-8B-tool_use",
)
PROTOCOLS: tuple[ProtocolName, ...] = ("native", "react_json")
ASKED: dict[str, tuple[list[Message], Tools]] = {
    **{one.name: ([*one.messages], one.tools) for one in SCENES},
    **CONVERSATIONS,
}
# (template, conversation, protocol), and why llama-server renders it otherwise.
KNOWN: dict[tuple[str, str, str], str] = {}


@pytest.fixture(scope="module", params=NAMES)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, ServedModel, Reference]]:
    file = FOLDER / f"{request.param}.jinja"
    if not file.is_file():
        pytest.skip("$LLAMA_CPP_DIR names no checkout with this template")
    folder = tmp_path_factory.mktemp("tiny")
    path = save_gguf(tokenizer_with(["<|im_end|>"], opens=True), file.read_text("utf-8"), folder)
    options = ["-t", "1", "--no-warmup"]
    with (
        closing(Reference(path)) as reference,
        llama_server(real_server(), path, context=CONTEXT, options=options) as server,
        closing(ServedModel(server.url)) as client,
    ):
        yield request.param, client, reference


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_server_makes_the_loops_tokens(
    served: tuple[str, ServedModel, Reference], protocol: ProtocolName
) -> None:
    name, client, reference = served
    try:
        session = Session(client, reference, protocol, reference.template.protocol(protocol))
    except TooldrillError as error:
        pytest.skip(error.message)  # such a model gets a bundled template
    different = {}
    for title, (messages, tools) in ASKED.items():
        found = _difference(session, messages, tools)
        if found:
            different[title] = found
    known = {title for one, title, spoken in KNOWN if (one, spoken) == (name, protocol)}
    assert different.keys() == known, different


def _difference(session: Session, messages: list[Message], tools: Tools) -> str:
    try:
        expected = session.prompt_ids(scene(messages, tools))
    except TooldrillError as error:
        return f"refused here: {error.message}"
    given = session.served.prompt_ids(*session.request(scene(messages, tools)))
    if isinstance(given, str):
        return f"refused there: {given}"
    return "" if given == expected else session.reference.parting(expected, given)
