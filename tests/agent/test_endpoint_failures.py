"""Whose failure it is: faults of the way and of the server, on real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler

import httpx
import pytest
from endpoint_turns import FINE, NATIVE, ask, turn
from scripted_endpoint import (
    LLAMA_MODELS,
    Answer,
    cut,
    error,
    reply,
    reset,
    serve,
    short_pauses,
    stream,
    text,
    write_json,
)

from tooldrill.agent.engines.endpoint import EndpointEngine
from tooldrill.agent.engines.wire.failures import seconds_asked_for
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import EndpointSettings
from tooldrill.agent.violation import ViolationClass

UNREAD = "The model produced output that does not match the expected peg-native format"


@pytest.fixture(autouse=True, scope="module")
def hurried() -> Iterator[None]:
    with short_pauses():
        yield


PASSING: list[tuple[str, Answer]] = [
    ("500", error(500, "out of memory")),
    ("502 with a page", text(502, "<html>Bad gateway</html>")),
    ("a status of a proxy", text(530, "")),
    ("429", error(429, "slow down")),
    ("reset", reset),
    ("cut body", cut),
    ("no JSON", text(200, "<html>Welcome</html>")),
    ("an empty body", text(200, "")),
    ("no choices", text(200, '{"choices": []}')),
    ("a list", text(200, "[]")),
    ("an error with status 200", text(200, '{"error": {"message": "no", "code": 503}}')),
    ("broken off by the server", reply("error", content="ha")),
]


@pytest.mark.parametrize("answer", [case[1] for case in PASSING], ids=[c[0] for c in PASSING])
def test_what_may_pass_is_tried_again(answer: Answer) -> None:
    with serve(answer, FINE) as server:
        assert ask(server.url).text == "fine"
        assert len(server.requests) == 2
        assert server.requests[0] == server.requests[1]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (error(500, "out of memory"), "HTTP 500: out of memory"),
        (cut, "RemoteProtocolError"),
        (text(200, "<html>"), "no JSON: <html>"),
    ],
)
def test_what_does_not_pass_fails_one_episode(answer: Answer, reason: str) -> None:
    with serve(answer, answer, FINE) as server:
        engine = EndpointEngine(server.url, settings=EndpointSettings(retries=1))
        with closing(engine):
            engine.submit(turn("first"))
            ((_, failed),) = engine.collect()
            engine.submit(turn("second"))
            ((_, fine),) = engine.collect()
        assert len(server.requests) == 3
    assert reason in (failed.failure or "")
    assert (failed.text, failed.reply_tokens) == ("", 0)
    assert (fine.failure, fine.text) == (None, "fine")


LASTING: list[tuple[str, Answer, str]] = [
    (
        "llama-server's context",
        error(400, "request (3077 tokens) exceeds the limit", type="exceed_context_size_error"),
        "3077 tokens",
    ),
    (
        "vLLM's context",
        error(400, "This model's maximum context length is 2048 tokens."),
        "maximum context length",
    ),
    ("a bad request", error(400, "messages: no such role"), "no such role"),
    ("vLLM's validation", text(422, '{"detail": [{"msg": "bad seed"}]}'), "bad seed"),
    (
        "a grammar that leaves no token",
        error(500, "got exception: Unexpected empty grammar stack after accepting piece: ."),
        "the grammar allows no token",
    ),
    ("withheld", reply("content_filter", content=""), "content_filter"),
]


@pytest.mark.parametrize(
    ("answer", "reason"), [c[1:] for c in LASTING], ids=[case[0] for case in LASTING]
)
def test_what_cannot_pass_is_asked_once(answer: Answer, reason: str) -> None:
    with serve(answer, FINE) as server:
        assert reason in (ask(server.url).failure or "")
        assert len(server.requests) == 1


def moved(handler: BaseHTTPRequestHandler) -> None:
    """Another address, as a proxy tells it."""
    write_json(handler, 308, {}, {"Location": "https://elsewhere/v1/chat/completions"})


FATAL: list[tuple[str, Answer, str, str]] = [
    ("key", error(401, "Invalid API Key"), "401: Invalid API Key", "api_key_env"),
    ("forbidden", text(403, ""), "403: Forbidden", "api_key_env"),
    ("model", error(404, "The model `x` does not exist."), "does not exist", "/models"),
    ("llama-server's router", error(400, "model 'x' not found"), "not found", "/models"),
    ("path", text(404, "404 page not found"), "page not found", "ends with /v1"),
    ("no jinja", error(500, "tools param requires --jinja flag"), "--jinja", "react_json"),
    ("Ollama", error(400, "llama2 does not support tools"), "support tools", "react_json"),
    (
        "vLLM",
        error(400, '"auto" tool choice requires --enable-auto-tool-choice'),
        "enable-auto",
        "tool-call-parser",
    ),
    ("money", error(429, "You exceeded", code="insufficient_quota"), "exceeded", "account"),
    ("method", text(405, ""), "405", "base URL"),
    (
        "grammar",
        error(400, "Failed to initialize samplers: failed to parse grammar"),
        "refused the grammar",
        "constrain=off",
    ),
    ("moved", moved, "HTTP 308", "https://elsewhere/v1"),
]


@pytest.mark.parametrize(
    ("answer", "reason", "step"), [c[1:] for c in FATAL], ids=[case[0] for case in FATAL]
)
def test_what_meets_every_request_ends_the_run(answer: Answer, reason: str, step: str) -> None:
    with serve(answer) as server:
        with pytest.raises(TooldrillError) as caught:
            ask(server.url)
        assert len(server.requests) == 1
    assert reason in caught.value.message
    assert step in caught.value.next_step
    assert "\n" not in caught.value.message + caught.value.next_step


def test_a_long_or_broken_message_of_a_server_becomes_one_short_line() -> None:
    with serve(text(400, "line\n" * 500)) as server:
        failure = ask(server.url).failure
    assert failure is not None
    assert "\n" not in failure
    assert len(failure) < 400


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    def asked(value: str) -> float:
        return seconds_asked_for(httpx.Headers({"Retry-After": value}))

    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert asked("7") == 7
    assert 20 < asked(soon) <= 30
    assert asked("86400") == 60
    assert [asked(text) for text in ("", "soon", "-5", "Mon, 01 Jan 2001 00:00:00 GMT")] == [0] * 4


@pytest.mark.parametrize("streamed", [False, True])
def test_a_reply_that_llama_server_could_not_read_is_the_models(streamed: bool) -> None:
    written = '{"name": "made_up", "parameters": {"x": 1}}'
    told = {"error": {"message": UNREAD, "code": 500}}
    unread = stream([told], done=False) if streamed else error(500, UNREAD)
    seen: list[str] = []
    asked = turn(on_text=seen.append) if streamed else turn()
    with serve(unread, reply(content=written), pages={"/v1/models": LLAMA_MODELS}) as server:
        generation = ask(server.url, asked)
        assert [body["tool_choice"] for body in server.requests] == ["auto", "none"]
    assert generation.failure is None
    assert generation.text == written
    assert [p.kind for p in NATIVE.parse(generation.text).problems] == [
        ViolationClass.MALFORMED_CALL
    ]
    assert "".join(seen) == (written if streamed else "")


def test_an_older_llama_server_tells_the_reply_in_its_message() -> None:
    told = error(500, "Failed to parse input at pos 12: <tool_call>{oops")
    with serve(told, error(400, "no such choice")) as server:
        generation = ask(server.url)
    assert (generation.failure, generation.text) == (None, "<tool_call>{oops")
