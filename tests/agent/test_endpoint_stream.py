"""Streamed replies: pieces put together exactly, and given on as they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from endpoint_turns import ask, turn
from hypothesis import given
from hypothesis import strategies as st
from scripted_endpoint import (
    Answer,
    cut,
    delta,
    piece,
    reply,
    serve,
    short_pauses,
    stream,
)

from tooldrill.agent.engines.wire.reply import ServedCall, ServedReply
from tooldrill.agent.engines.wire.stream import Pieces, StreamedReply

END = delta("stop")


@pytest.fixture(autouse=True, scope="module")
def hurried() -> Iterator[None]:
    with short_pauses():
        yield


STREAMS: list[tuple[str, list[Any], str]] = [
    (
        "content and a call in pieces",
        [
            delta(role="assistant", content=None),
            delta(content="I "),
            delta(content="call."),
            piece(0, "{", "f", "id-1"),
            piece(0, '"x": '),
            piece(0, "1}"),
            delta("tool_calls"),
        ],
        'I call.\n<tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>',
    ),
    (
        "two calls, pieces in turns",
        [piece(0, '{"a"', "f", "1"), piece(1, "{", "g", "2"), piece(0, ":1}"), piece(1, "}"), END],
        '<tool_call>{"name": "f", "arguments": {"a":1}}</tool_call>\n'
        '<tool_call>{"name": "g", "arguments": {}}</tool_call>',
    ),
    (
        "whole calls without an index",
        [piece(None, "{}", "f", "1"), piece(None, '{"x":1}', "f", "2"), END],
        '<tool_call>{"name": "f", "arguments": {}}</tool_call>\n'
        '<tool_call>{"name": "f", "arguments": {"x":1}}</tool_call>',
    ),
    (
        "a name with every piece",
        [piece(0, '{"x"', "f", "1"), piece(0, ":1}", "f", "1"), END],
        '<tool_call>{"name": "f", "arguments": {"x":1}}</tool_call>',
    ),
    (
        "a name in pieces",
        [piece(0, None, "read_", "1"), piece(0, None, "file"), piece(0, "{}"), END],
        '<tool_call>{"name": "read_file", "arguments": {}}</tool_call>',
    ),
    (
        "thinking",
        [delta(reasoning_content="So"), delta(reasoning_content="?"), delta(content="Yes."), END],
        "<think>\nSo?\n</think>\n\nYes.",
    ),
    (
        "line ends of other kinds, comments, an event name",
        [":\n\n", "event: chunk\n", delta(content="a\u2028b\u0085c\x0bd"), ": ping\n\n", END],
        "a\u2028b\u0085c\x0bd",
    ),
]


@pytest.mark.parametrize(
    ("chunks", "text"), [case[1:] for case in STREAMS], ids=[case[0] for case in STREAMS]
)
def test_pieces_make_the_reply_and_are_given_on(chunks: list[Any], text: str) -> None:
    seen: list[str] = []
    with serve(stream(chunks)) as server:
        generation = ask(server.url, turn(on_text=seen.append))
        assert server.requests[0]["stream"] is True
    assert (generation.text, generation.failure) == (text, None)
    assert "".join(seen) == text
    assert "" not in seen


def test_text_comes_before_the_reply_is_over() -> None:
    seen: list[str] = []
    with serve(stream([delta(content=word) for word in "abcde"] + [END])) as server:
        ask(server.url, turn(on_text=seen.append))
    assert seen == list("abcde")


def test_the_usage_of_the_last_chunk_counts() -> None:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 2,
        "prompt_tokens_details": {"cached_tokens": 8},
    }
    chunks = [delta(content="a"), delta("length"), {"choices": [], "usage": usage}]
    with serve(stream(chunks)) as server:
        generation = ask(server.url, turn(on_text=lambda _: None))
        assert server.requests[0]["stream_options"] == {"include_usage": True}
    counted = (generation.prompt_tokens, generation.cached_tokens, generation.reply_tokens)
    assert (*counted, generation.stop) == (9, 8, 2, "length")


BROKEN: list[tuple[str, Answer]] = [
    ("no end", stream([delta(content="Hello w")], done=False)),
    ("done without a reason", stream([delta(content="Hello w")])),
    ("an error inside", stream([delta(content="Hello w"), {"error": {"message": "gone"}}])),
    ("no JSON inside", stream([delta(content="Hello w"), "data: {oops\n\n"])),
    ("cut", cut),
]


@pytest.mark.parametrize("broken", [case[1] for case in BROKEN], ids=[c[0] for c in BROKEN])
def test_a_broken_stream_is_asked_again_and_nothing_is_shown_twice(broken: Answer) -> None:
    seen: list[str] = []
    whole = stream([delta(content="Hello "), delta(content="world."), END])
    with serve(broken, whole) as server:
        assert ask(server.url, turn(on_text=seen.append)).text == "Hello world."
        assert len(server.requests) == 2
    assert "".join(seen) == "Hello world."


def test_a_second_attempt_that_differs_begins_a_new_line() -> None:
    seen: list[str] = []
    first = stream([delta(content="Hello w")], done=False)
    with serve(first, stream([delta(content="Bye."), END])) as server:
        assert ask(server.url, turn(on_text=seen.append)).text == "Bye."
    assert "".join(seen) == "Hello w\nBye."


def test_a_server_that_does_not_stream_will_do() -> None:
    seen: list[str] = []
    with serve(reply(content="All at once.")) as server:
        assert ask(server.url, turn(on_text=seen.append)).text == "All at once."
    assert seen == ["All at once."]


def test_a_watch_ends_the_reply_and_the_server_sees_it() -> None:
    read: list[str] = []

    def watch(text: str) -> bool:
        read.append(text)
        return len(read) == 3

    counted = {"timings": {"cache_n": 5, "prompt_n": 2, "predicted_n": 3}}
    chunks = [delta(content="again ") | counted] * 2000
    with serve(stream(chunks, pause=0.01)) as server:
        generation = ask(server.url, turn(watch=watch))
        assert server.dropped.wait(20)
        assert len(server.requests) == 1
    assert (generation.text, generation.stop) == ("again again again ", "looping")
    assert (generation.prompt_tokens, generation.cached_tokens) == (7, 5)
    assert generation.reply_tokens == 3
    assert read == ["again "] * 3


texts = st.text(max_size=12)
calls = st.lists(
    st.builds(
        ServedCall, st.just(""), st.text("fgh", min_size=1), st.text('{"x":1} ', min_size=1)
    ).filter(lambda call: bool(call.arguments.strip())),
    max_size=3,
)


@given(thinking=texts, content=texts, calls=calls, data=st.data())
def test_any_cut_into_pieces_makes_the_same_text(
    thinking: str, content: str, calls: list[ServedCall], data: st.DataObject
) -> None:
    whole = ServedReply(thinking, content, calls, finish="stop")
    streamed, seen = StreamedReply(), []

    def take_piece(text: str) -> bool:
        seen.append(text)
        return False

    pieces = Pieces(take_piece)
    chunks = [delta(reasoning_content=part) for part in _parts(data, thinking)]
    chunks += [delta(content=part) for part in _parts(data, content)]
    for index, call in enumerate(calls):
        chunks.append(piece(index, None, call.name, f"id{index}"))
        chunks += [piece(index, part) for part in _parts(data, call.arguments)]
    for chunk in chunks:
        streamed.take(chunk)
        pieces.grow(streamed.reply.text(growing=True))
    streamed.take(END)
    pieces.end(streamed.reply.text())
    assert streamed.reply.text() == whole.text()
    assert "".join(seen) == whole.text()


def _parts(data: st.DataObject, text: str) -> list[str]:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=3)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True) if a < b]
