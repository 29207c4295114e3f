"""How the endpoint engine waits, gives up and shares its connections, on real sockets."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import Any

import pytest
from endpoint_turns import FINE, ask, turn
from scripted_endpoint import delta, error, reset, serve, short_pauses, stream

from tooldrill.agent.engines.endpoint import EndpointEngine
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import EndpointSettings

TRICKLE = stream([delta(content="a ")] * 2000, pause=0.05)


def wait_for(event: threading.Event) -> None:
    assert event.wait(20)


def test_a_busy_server_is_given_the_time_it_asks_for() -> None:
    busy = error(429, "slow down", {"Retry-After": "1.2"})
    with serve(busy, FINE) as server:
        assert ask(server.url).failure is None
        first, second = server.times
    assert second - first >= 1.2


def test_pauses_grow_and_are_never_in_step() -> None:
    with serve(error(500, "no")) as server:
        ask(server.url, retries=2)
        gaps = [b - a for a, b in zip(server.times, server.times[1:], strict=False)]
    more = [gap - floor for gap, floor in zip(gaps, (0.5, 1.0), strict=True)]
    assert all(one >= 0 for one in more)
    assert round(more[0], 4) != round(more[1], 4)


def test_the_time_limit_holds_for_a_whole_reply_that_trickles_in() -> None:
    with serve(TRICKLE) as server:
        begun = time.monotonic()
        generation = ask(server.url, turn(on_text=lambda _: None), timeout=1.0)
        assert time.monotonic() - begun < 15
        wait_for(server.dropped)
        assert len(server.requests) == 1
    assert "within 1 s" in (generation.failure or "")


def test_closing_ends_what_is_under_way_and_the_server_sees_it() -> None:
    began = threading.Event()

    def slow(handler: Any) -> None:
        began.set()
        TRICKLE(handler)

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

    with serve(TRICKLE) as server:
        engine = EndpointEngine(server.url)
        engine.submit(turn(on_text=interrupt))
        with closing(engine), pytest.raises(KeyboardInterrupt):
            engine.collect()
        wait_for(server.dropped)
    assert not [one for one in threading.enumerate() if one.name == "endpoint"]


def test_a_released_episode_may_be_asked_anew() -> None:
    with serve(TRICKLE, FINE) as server:
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
    with short_pauses(), serve(reset, *[loading] * 4, FINE) as server:
        assert ask(server.url, retries=1).text == "fine"
        assert len(server.requests) == 6


def test_a_server_that_stays_away_ends_the_run() -> None:
    with serve(FINE) as server:
        engine = EndpointEngine(server.url, settings=EndpointSettings(patience=1.0))
    with closing(engine):
        engine.submit(turn())
        with pytest.raises(TooldrillError, match="has been away for 1 s") as caught:
            engine.collect()
    assert "run the same command" in caught.value.next_step
