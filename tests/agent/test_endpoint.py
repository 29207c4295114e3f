"""The endpoint engine against a real HTTP server: what comes of each reply."""

from __future__ import annotations

from typing import Any

import pytest
from endpoint_turns import NATIVE, ask, call, turn
from scripted_endpoint import Answer, reply, serve

from tooldrill.agent.call import Call
from tooldrill.agent.violation import ViolationClass


def test_a_parsed_call_comes_back_as_the_protocols_text() -> None:
    usage = {
        "prompt_tokens": 7,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    answer = reply("tool_calls", usage, content="I call.", tool_calls=[call("f", '{"x": 1}')])
    with serve(answer) as server:
        generation = ask(server.url, turn("a"))
    read = NATIVE.parse(generation.text)
    assert (read.thought, read.calls) == ("I call.", (Call("f", {"x": 1}),))
    assert (generation.prompt_tokens, generation.reply_tokens) == (7, 5)
    assert (generation.cached_tokens, generation.stop) == (4, "stop")
    assert generation.failure is None


MESSAGES: list[tuple[str, dict[str, Any], str]] = [
    ("content alone", {"content": "All done."}, "All done."),
    ("no content", {"content": None}, ""),
    ("parts", {"content": [{"type": "text", "text": "All "}, "done."]}, "All done."),
    ("refusal", {"content": None, "refusal": "I won't."}, "I won't."),
    (
        "arguments as an object",
        {"content": "", "tool_calls": [call("f", {"x": 1, "y": "é"})]},
        '<tool_call>{"name": "f", "arguments": {"x": 1, "y": "é"}}</tool_call>',
    ),
    (
        "legacy",
        {"content": None, "function_call": {"name": "f", "arguments": '{"x":1}'}},
        '<tool_call>{"name": "f", "arguments": {"x":1}}</tool_call>',
    ),
    (
        "no argument text",
        {"content": None, "tool_calls": [call("f", "")]},
        '<tool_call>{"name": "f"}</tool_call>',
    ),
    (
        "thinking",
        {"content": "Hm.", "reasoning_content": "Which?", "tool_calls": [call("f", "{}")]},
        '<think>\nWhich?\n</think>\n\nHm.\n<tool_call>{"name": "f", "arguments": {}}</tool_call>',
    ),
    (
        "thinking under two names",
        {"content": "Yes.", "reasoning": "So?", "reasoning_content": "So?"},
        "<think>\nSo?\n</think>\n\nYes.",
    ),
    (
        "thinking as a part",
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "So?"}]},
                {"type": "text", "text": "Yes."},
            ]
        },
        "<think>\nSo?\n</think>\n\nYes.",
    ),
    ("thinking only", {"content": "", "reasoning": "And then"}, "<think>\nAnd then"),
    (
        "a call that the server did not see",
        {"content": '<tool_call>{"name": "f", "arguments": {"x": 2}}</tool_call>'},
        '<tool_call>{"name": "f", "arguments": {"x": 2}}</tool_call>',
    ),
]


@pytest.mark.parametrize(
    ("message", "text"), [case[1:] for case in MESSAGES], ids=[case[0] for case in MESSAGES]
)
def test_every_form_of_a_message_becomes_one_text(message: dict[str, Any], text: str) -> None:
    with serve(reply(**message)) as server:
        assert ask(server.url, turn("a")).text == text


FAULTS: list[tuple[str, Answer, ViolationClass]] = [
    (
        "no JSON",
        reply(tool_calls=[call("f", '{"x": 1')]),
        ViolationClass.MALFORMED_CALL,
    ),
    (
        "two calls",
        reply(tool_calls=[call("f", "{}"), call("f", '{"x": 2}')]),
        ViolationClass.MULTIPLE_CALLS,
    ),
    ("no name", reply(tool_calls=[call(None, "{}")]), ViolationClass.MALFORMED_CALL),
    ("nothing", reply(content=""), ViolationClass.MALFORMED_CALL),
    (
        "cut off",
        reply("length", tool_calls=[call("f", '{"x": ')]),
        ViolationClass.MALFORMED_CALL,
    ),
    ("in thought", reply("length", content="", reasoning="I"), ViolationClass.MALFORMED_CALL),
    ("another dialect", reply(content="[TOOL_CALLS]f{}"), ViolationClass.MALFORMED_CALL),
]


@pytest.mark.parametrize(
    ("answer", "kind"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_what_the_model_wrote_is_never_a_failure(answer: Answer, kind: ViolationClass) -> None:
    with serve(answer) as server:
        generation = ask(server.url, turn("a"))
        assert len(server.requests) == 1
    assert generation.failure is None
    assert [problem.kind for problem in NATIVE.parse(generation.text).problems] == [kind]


def test_a_cut_off_call_is_left_open_and_a_whole_one_closed() -> None:
    with serve(
        reply("length", tool_calls=[call("f", '{"x": ')]),
        reply("length", tool_calls=[call("f", '{"x": 1}')]),
    ) as server:
        first, second = (ask(server.url, turn("a")) for _ in range(2))
    assert first.text == '<tool_call>{"name": "f", "arguments": {"x": '
    assert NATIVE.parse(second.text).calls == (Call("f", {"x": 1}),)
    assert (first.stop, second.stop) == ("length", "length")
