"""The endpoint engine against a real HTTP server that speaks the OpenAI API."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tooldrill.agent.call import Call
from tooldrill.agent.engines.base import Turn
from tooldrill.agent.engines.endpoint import EndpointEngine
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import call_message, observation_message, user
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.settings import SamplingSettings

REQUESTS: list[dict[str, Any]] = []
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


class Server(BaseHTTPRequestHandler):
    """Fails once for `flaky` and `busy`, always for `broken`, else calls `f`."""

    failures = 0

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(200, {"data": [{"id": "some-model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        REQUESTS.append(body)
        prompt = body["messages"][-1]["content"]
        if prompt == "busy" and Server.failures == 0:
            Server.failures += 1
            self.send_response(429)
            self.send_header("Retry-After", "1.2")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if prompt == "broken" or (prompt == "flaky" and Server.failures == 0):
            Server.failures += 1
            self._answer(400 if prompt == "broken" else 503, {"error": "no"})
            return
        function = {"name": "f", "arguments": '{"x": 1}'}
        message = {"content": "I call.", "tool_calls": [{"id": "1", "function": function}]}
        usage = {"prompt_tokens": 7, "completion_tokens": 5}
        self._answer(
            200, {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
        )

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def engine() -> Iterator[EndpointEngine]:
    REQUESTS.clear()
    Server.failures = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    engine = EndpointEngine(f"http://127.0.0.1:{server.server_address[1]}/v1")
    yield engine
    engine.close()
    server.shutdown()


def turn(key: str, *messages: Any) -> Turn:
    protocol = get_protocol("native")
    return Turn(key, [*messages, user(key)], TOOLS, protocol, SamplingSettings(seed=3), 50, 2)


def test_parsed_calls_come_back_as_the_protocols_text(engine: EndpointEngine) -> None:
    engine.submit(turn("hello"))
    ((key, generation),) = engine.collect()
    assert key == "hello"
    reply = get_protocol("native").parse(generation.text)
    assert (reply.thought, reply.calls) == ("I call.", (Call("f", {"x": 1}),))
    assert (generation.prompt_tokens, generation.reply_tokens) == (7, 5)
    assert engine.info.model == "some-model"


def test_history_is_sent_in_the_apis_form(engine: EndpointEngine) -> None:
    engine.submit(
        turn(
            "next", call_message(Call("f", {"x": "é"}), learn=False), observation_message("f", "o")
        )
    )
    engine.collect()
    (body,) = REQUESTS
    assistant, tool, _ = body["messages"]
    assert assistant["tool_calls"][0]["function"]["arguments"] == '{"x": "é"}'
    assert assistant["tool_calls"][0]["id"] == tool["tool_call_id"]
    assert set(assistant) == {"role", "content", "tool_calls"}
    assert (body["seed"], body["tool_choice"]) == (5, "auto")


def test_passing_failures_are_tried_again_and_lasting_ones_reported(
    engine: EndpointEngine,
) -> None:
    engine.submit(turn("flaky"))
    engine.submit(turn("broken"))
    results: dict[str, Any] = {}
    while len(results) < 2:
        results |= dict(engine.collect())
    assert results["flaky"].failure is None
    assert "400" in results["broken"].failure
    assert engine.collect() == []


def test_a_busy_server_is_given_the_time_it_asks_for(engine: EndpointEngine) -> None:
    begun = time.perf_counter()
    engine.submit(turn("busy"))
    ((_, generation),) = engine.collect()
    assert generation.failure is None
    assert time.perf_counter() - begun >= 1.2
    assert len(REQUESTS) == 2


def test_a_silent_endpoint_is_one_clear_line() -> None:
    with pytest.raises(TooldrillError, match="does not answer") as caught:
        EndpointEngine("http://127.0.0.1:9/v1")
    assert "llama-server" in caught.value.next_step
