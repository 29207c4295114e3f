"""Whose failure it is: faults of the way and of the server, on real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from scripted_endpoint import (
    LLAMA_MODELS,
    Answer,
    Scripted,
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

from tooldrill.agent.engines.base import Generation, Turn
from tooldrill.agent.engines.endpoint import EndpointEngine
from tooldrill.agent.engines.wire.failures import seconds_asked_for
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import user
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.settings import EndpointSettings, SamplingSettings
from tooldrill.agent.violation import ViolationClass

NATIVE = get_protocol("native")
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
FINE = reply(content="fine")
UNREAD = "The model produced output that does not match the expected peg-native format"


@pytest.fixture(autouse=True)
def hurried(request: pytest.FixtureRequest) -> Iterator[None]:
    """Short pauses between attempts, but where pauses are what is tested."""
    with nullcontext() if "usual_pauses" in request.fixturenames else short_pauses():
        yield


@pytest.fixture
def usual_pauses() -> None:
    """Leaves the pauses as they are."""


def turn(key: str = "a", **more: Any) -> Turn:
    return Turn(key, [user("do it")], TOOLS, NATIVE, SamplingSettings(), 50, **more)


def ask(server: Scripted, asked: Turn | None = None, **settings: Any) -> Generation:
    engine = EndpointEngine(server.url, settings=EndpointSettings(**settings))
    with closing(engine):
        engine.submit(asked or turn())
        ((_, generation),) = engine.collect()
        return generation


def wait_for(event: threading.Event) -> None:
    assert event.wait(20)


PASSING: list[tuple[str, Answer]] = [
    ("500", error(500, "out of memory")),
    ("502 with a page", text(502, "<html>Bad gateway</html>")),
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
        assert ask(server).text == "fine"
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
    ("a bad request", error(400, "messages: roles must alternate"), "roles must alternate"),
    ("vLLM's validation", text(422, '{"detail": [{"msg": "bad seed"}]}'), "bad seed"),
    ("withheld", reply("content_filter", content=""), "content_filter"),
]


@pytest.mark.parametrize(
    ("answer", "reason"), [c[1:] for c in LASTING], ids=[case[0] for case in LASTING]
)
def test_what_cannot_pass_is_asked_once(answer: Answer, reason: str) -> None:
    with serve(answer, FINE) as server:
        assert reason in (ask(server).failure or "")
        assert len(server.requests) == 1


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
]


@pytest.mark.parametrize(
    ("answer", "reason", "step"), [c[1:] for c in FATAL], ids=[case[0] for case in FATAL]
)
def test_what_meets_every_request_ends_the_run(answer: Answer, reason: str, step: str) -> None:
    with serve(answer) as server:
        with pytest.raises(TooldrillError) as caught:
            ask(server)
        assert len(server.requests) == 1
    assert reason in caught.value.message
    assert step in caught.value.next_step
    assert "\n" not in caught.value.message + caught.value.next_step


def test_a_long_or_broken_message_of_a_server_becomes_one_short_line() -> None:
    with serve(text(400, "line\n" * 500)) as server:
        failure = ask(server).failure
    assert failure is not None
    assert "\n" not in failure
    assert len(failure) < 400


def test_a_busy_server_is_given_the_time_it_asks_for() -> None:
    busy = error(429, "slow down", {"Retry-After": "1.2"})
    with serve(busy, FINE) as server:
        assert ask(server).failure is None
        first, second = server.times
    assert second - first >= 1.2


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    def asked(value: str) -> float:
        return seconds_asked_for(httpx.Headers({"Retry-After": value}))

    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert asked("7") == 7
    assert 20 < asked(soon) <= 30
    assert asked("86400") == 60
    assert [asked(text) for text in ("", "soon", "-5", "Mon, 01 Jan 2001 00:00:00 GMT")] == [0] * 4


def test_pauses_grow_and_are_never_in_step(usual_pauses: None) -> None:
    with serve(error(500, "no")) as server:
        ask(server, retries=2)
        gaps = [b - a for a, b in zip(server.times, server.times[1:], strict=False)]
    more = [gap - floor for gap, floor in zip(gaps, (0.5, 1.0), strict=True)]
    assert all(one >= 0 for one in more)
    assert round(more[0], 4) != round(more[1], 4)


def test_the_time_limit_holds_for_a_whole_reply_that_trickles_in() -> None:
    chunks = [{"choices": [{"delta": {"content": "a "}}]}] * 400
    with serve(stream(chunks, pause=0.05)) as server:
        begun = time.monotonic()
        generation = ask(server, turn(on_text=lambda _: None), timeout=1.0)
        assert time.monotonic() - begun < 15
        wait_for(server.dropped)
        assert len(server.requests) == 1
    assert "within 1 s" in (generation.failure or "")


def test_closing_ends_what_is_under_way_and_the_server_sees_it() -> None:
    began = threading.Event()

    def slow(handler: Any) -> None:
        began.set()
        stream([{"choices": [{"delta": {"content": "a "}}]}] * 2000, pause=0.05)(handler)

    with serve(slow) as server:
        engine = EndpointEngine(server.url)
        engine.submit(turn())
        wait_for(began)
        begun = time.monotonic()
        engine.close()
        assert time.monotonic() - begun < 10
        wait_for(server.dropped)
    assert not [one for one in threading.enumerate() if one.name == "endpoint"]
    assert engine.collect() == []


def test_an_interrupt_leaves_no_thread_behind() -> None:
    def interrupt(_piece: str) -> None:
        raise KeyboardInterrupt

    chunks = [{"choices": [{"delta": {"content": "a "}}]}] * 2000
    with serve(stream(chunks, pause=0.05)) as server:
        engine = EndpointEngine(server.url)
        engine.submit(turn(on_text=interrupt))
        with closing(engine), pytest.raises(KeyboardInterrupt):
            engine.collect()
        wait_for(server.dropped)
    assert not [one for one in threading.enumerate() if one.name == "endpoint"]


def test_a_released_episode_may_be_asked_anew() -> None:
    chunks = [{"choices": [{"delta": {"content": "a "}}]}] * 2000
    with serve(stream(chunks, pause=0.05), FINE) as server:
        engine = EndpointEngine(server.url)
        with closing(engine):
            engine.submit(turn())
            while not server.requests:
                time.sleep(0.01)
            engine.release("a")
            wait_for(server.dropped)
            engine.submit(turn())
            assert [(key, g.text) for key, g in engine.collect()] == [("a", "fine")]


def test_connections_are_used_again() -> None:
    with serve(FINE) as server:
        engine = EndpointEngine(server.url, settings=EndpointSettings(parallel=1))
        with closing(engine):
            for number in range(5):
                engine.submit(turn(str(number)))
                engine.collect()
        assert len(server.requests) == 5
        assert len(server.clients) == 1


def test_as_many_requests_are_under_way_as_wanted() -> None:
    together = threading.Barrier(3, timeout=20)

    def meet(handler: Any) -> None:
        together.wait()
        FINE(handler)

    with serve(meet) as server:
        engine = EndpointEngine(server.url, settings=EndpointSettings(parallel=3))
        with closing(engine):
            for number in range(3):
                engine.submit(turn(str(number)))
            done: dict[str, str] = {}
            while len(done) < 3:
                done |= {key: generation.text for key, generation in engine.collect()}
            assert engine.collect() == []
    assert done == dict.fromkeys("012", "fine")


def test_a_server_that_starts_again_is_waited_for() -> None:
    loading = error(503, "Loading model", type="unavailable_error")
    with serve(reset, *[loading] * 4, FINE) as server:
        assert ask(server, retries=1).text == "fine"
        assert len(server.requests) == 6


def test_a_server_that_stays_away_ends_the_run() -> None:
    with serve(FINE) as server:
        engine = EndpointEngine(server.url, settings=EndpointSettings(patience=1.0))
    with closing(engine):
        engine.submit(turn())
        with pytest.raises(TooldrillError, match="has been away for 1 s") as caught:
            engine.collect()
    assert "run the same command" in caught.value.next_step


def test_a_model_that_is_loading_at_the_start_is_waited_for() -> None:
    asked: list[Any] = []

    def models(handler: Any) -> None:
        asked.append(handler)
        if len(asked) < 3:
            write_json(handler, 503, {"error": {"message": "Loading model"}})
        else:
            write_json(handler, 200, {"data": [{"id": "late"}]})

    with serve(FINE, pages={"/v1/models": models}) as server:
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


@pytest.mark.parametrize("streamed", [False, True])
def test_a_reply_that_llama_server_could_not_read_is_the_models(streamed: bool) -> None:
    written = '{"name": "made_up", "parameters": {"x": 1}}'
    told = {"error": {"message": UNREAD, "code": 500}}
    unread = stream([told], done=False) if streamed else error(500, UNREAD)
    seen: list[str] = []
    asked = turn(on_text=seen.append) if streamed else turn()
    with serve(unread, reply(content=written), pages={"/v1/models": LLAMA_MODELS}) as server:
        generation = ask(server, asked)
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
        generation = ask(server)
    assert (generation.failure, generation.text) == (None, "<tool_call>{oops")
