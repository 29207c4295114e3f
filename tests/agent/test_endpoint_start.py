"""What the endpoint engine finds out before its first request, and what it then refuses."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from endpoint_turns import FINE, REACT, turn
from scripted_endpoint import LLAMA_MODELS, serve, short_pauses, write_json

from tooldrill.agent.engines.endpoint import EndpointEngine
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import EndpointSettings


def test_what_llama_server_says_of_itself_is_kept() -> None:
    meta = {"size": 10, "n_params": 20, "n_ctx": 512}
    entry = {"id": "/models/tiny-Q4_K_M.gguf", "owned_by": "llamacpp", "meta": meta}
    props = {
        "build_info": "b1",
        "model_path": "/models/tiny-Q4_K_M.gguf",
        "model_ftype": "Q4_K - Medium",
        "total_slots": 2,
        "default_generation_settings": {"n_ctx": 256},
        "chat_template_caps": {"supports_tools": True, "supports_tool_calls": True},
    }
    with serve(pages={"/v1/models": {"data": [entry]}, "/props": props}) as server:
        engine = EndpointEngine(server.url, "tiny-Q4_K_M", EndpointSettings(parallel=8))
        engine.close()
    assert engine.server == {
        "program": "llama-server",
        "build": "b1",
        "file": "tiny-Q4_K_M.gguf",
        "quantization": "Q4_K_M",
        "size": 10,
        "parameters": 20,
        "context": 256,
        "slots": 2,
        "template_knows_tools": True,
        "calls": "server",
    }
    assert engine.info.settings["server"] == engine.server
    assert engine.slots == 2
    assert engine.model.short_name == "tiny-Q4_K_M"


def test_llama_server_does_not_pass_for_a_model_it_has_not() -> None:
    with (
        serve(pages={"/v1/models": LLAMA_MODELS}) as server,
        pytest.raises(TooldrillError, match=r"tiny-Q8_0\.gguf, not other"),
    ):
        EndpointEngine(server.url, "other")


def test_a_template_without_tools_is_refused_for_native_calls() -> None:
    props = {"chat_template_caps": {"supports_tools": False, "supports_tool_calls": False}}
    with serve(pages={"/v1/models": LLAMA_MODELS, "/props": props}) as server:
        engine = EndpointEngine(server.url)
        engine.close()
    with pytest.raises(TooldrillError, match="knows no tools"):
        engine.protocol("native")
    assert engine.protocol("react_json") is REACT


def test_the_password_of_a_url_is_not_stored() -> None:
    with serve() as server:
        url = server.url.replace("://", "://me:secret@")
        engine = EndpointEngine(url)
        engine.close()
    assert "secret" not in engine.info.model_dump_json()
    assert engine.info.source == server.url


@pytest.mark.parametrize("calls", ["auto", "raw"])
def test_only_llama_server_gives_replies_as_written(calls: str) -> None:
    def opened() -> EndpointEngine:
        return EndpointEngine(server.url, settings=EndpointSettings(calls=calls))  # type: ignore[arg-type]

    with serve() as server:
        if calls == "raw":
            with pytest.raises(TooldrillError, match="only llama-server"):
                opened()
            return
        engine = opened()
        engine.close()
    assert engine.server["calls"] == "server"


def test_a_grammar_is_refused_where_no_server_takes_it() -> None:
    with serve() as server:
        engine = EndpointEngine(server.url)
        engine.close()
    reason: Callable[..., str | None] = engine.cannot_constrain
    assert "no llama-server" in (reason(REACT) or "")


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(TooldrillError, match="NO_SUCH_KEY") as caught:
        EndpointEngine(
            "http://127.0.0.1:9/v1", settings=EndpointSettings(api_key_env="NO_SUCH_KEY")
        )
    assert "export NO_SUCH_KEY" in caught.value.next_step


def test_a_model_that_is_loading_at_the_start_is_waited_for() -> None:
    asked: list[Any] = []

    def models(handler: Any) -> None:
        asked.append(handler)
        if len(asked) < 3:
            write_json(handler, 503, {"error": {"message": "Loading model"}})
        else:
            write_json(handler, 200, {"data": [{"id": "late"}]})

    with short_pauses(), serve(FINE, pages={"/v1/models": models}) as server:
        engine = EndpointEngine(server.url)
        engine.close()
    assert engine.model.id == "late"


def test_a_silent_endpoint_is_one_clear_line_at_once() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        begun = time.monotonic()
        with pytest.raises(TooldrillError, match="does not answer") as caught:
            EndpointEngine(url)
        assert time.monotonic() - begun < 10
    assert "llama-server" in caught.value.next_step
    assert not [one for one in threading.enumerate() if one.name == "endpoint"]


def test_an_endpoint_that_takes_no_connection_is_not_waited_for_long() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        begun = time.monotonic()
        with pytest.raises(TooldrillError, match="does not answer"):
            EndpointEngine(url, settings=EndpointSettings(connect_timeout=0.3, patience=60))
        assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    ("page", "match"),
    [
        (lambda handler: write_json(handler, 200, "<html>"), "does not answer"),
        (lambda handler: write_json(handler, 401, {"error": {"message": "no key"}}), "no key"),
        (None, "lists no models"),
    ],
)
def test_what_the_list_of_models_tells_is_known_at_the_start(page: Any, match: str) -> None:
    with (
        serve(FINE, pages={"/v1/models": page}) as server,
        pytest.raises(TooldrillError, match=match),
    ):
        EndpointEngine(server.url)


@pytest.mark.parametrize("url", ["127.0.0.1:8080/v1", "ftp://host/v1", "http://[::1/v1"])
def test_a_wrong_url_is_one_line(url: str) -> None:
    with pytest.raises(TooldrillError) as caught:
        EndpointEngine(url)
    assert "http://HOST:PORT/v1" in caught.value.next_step


def test_a_server_without_a_list_is_asked_for_the_model_by_name() -> None:
    with serve(FINE, pages={"/v1/models": None}) as server:
        engine = EndpointEngine(server.url, "mine")
        with closing(engine):
            engine.submit(turn())
            engine.collect()
        assert server.requests[0]["model"] == "mine"
