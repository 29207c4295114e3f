"""Reading replies: what is a call, what is a conclusion, what is neither."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tooldrill.agent.call import Call
from tooldrill.agent.messages import call_message, calls_message, conclusion_message
from tooldrill.agent.protocols.catalog import PROTOCOLS, get_protocol

CALL = '{"name": "f", "arguments": {"x": 1}}'


@pytest.mark.parametrize(
    "text",
    [
        f"<tool_call>{CALL}",
        f"{CALL}</tool_call>",
        f"```json\n{CALL}\n```",
        CALL,
        f"<tool_call>{CALL[:-2]}</tool_call>",
        "<tool_call>{'name': 'f', 'arguments': {}}</tool_call>",
        '<tool_call>{"name": "f", "arguments": {"x": 1,}}</tool_call>',
        '<tool_call>{"name": "f", "arguments": "x"}</tool_call>',
        '<tool_call>{"name": "f", "x": 1}</tool_call>',
        '<tool_call>{"arguments": {}}</tool_call>',
        "<tool_call>[1]</tool_call>",
        '<tool_call>{"name": "f", "arguments": {"x": NaN}}</tool_call>',
        f"<tool_call>{CALL}</tool_call> and then I will",
        f"<tool_call><tool_call>{CALL}</tool_call>",
        "",
        "  \n",
    ],
)
def test_native_malformed(text: str) -> None:
    reply = get_protocol("native").parse(text)
    assert [str(p.kind) for p in reply.problems] == ["malformed_call"]
    assert reply.calls == ()
    assert reply.conclusion is None


def test_native_reads_thought_call_and_conclusion() -> None:
    parse = get_protocol("native").parse
    reply = parse(f"I look first.\n<tool_call>\n{CALL}\n</tool_call>\n")
    assert reply.thought == "I look first."
    assert reply.calls == (Call("f", {"x": 1}),)
    assert reply.problems == ()
    assert parse("All done: use {braces} freely.").conclusion == "All done: use {braces} freely."


def test_native_two_calls_are_one_violation_and_both_are_read() -> None:
    reply = get_protocol("native").parse(f"<tool_call>{CALL}</tool_call>" * 2)
    assert [str(p.kind) for p in reply.problems] == ["multiple_calls"]
    assert len(reply.calls) == 2


@pytest.mark.parametrize(
    "text",
    [
        "I will call f.",
        '{"thought": "t", "action": "f", "args": {}} {"action": "g", "args": {}}',
        '{"thought": "t", "action": "f", "conclusion": "x"}',
        '{"thought": "t"}',
        '{"action": "f", "args": [1]}',
        '{"action": "f", "x": 1}',
        '```json\n{"conclusion": "x"}\n```',
        '{"conclusion": "x"',
        "[]",
        "",
    ],
)
def test_react_json_malformed(text: str) -> None:
    reply = get_protocol("react_json").parse(text)
    assert [str(p.kind) for p in reply.problems] == ["malformed_call"]


def test_react_json_reads_call_and_conclusion() -> None:
    parse = get_protocol("react_json").parse
    reply = parse('{"thought": "t", "action": "f", "args": {"x": 1}}')
    assert (reply.thought, reply.calls) == ("t", (Call("f", {"x": 1}),))
    assert parse('{"conclusion": "ok"}').conclusion == "ok"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("name", list(PROTOCOLS))
@given(
    tool=st.text(min_size=1).filter(str.strip),
    arguments=st.dictionaries(st.text(), json_values, max_size=4),
)
def test_what_is_written_is_read_back(name: str, tool: str, arguments: dict[str, Any]) -> None:
    protocol = get_protocol(name)
    reply = protocol.parse(protocol.write(call_message(Call(tool, arguments))))
    # A tag inside a value may end a native call early; then it must not be misread as another.
    if any(tag in json.dumps(arguments) + tool for tag in ("<tool_call>", "</tool_call>")):
        return
    assert reply.calls == (Call(tool, arguments),)
    assert reply.problems == ()


@pytest.mark.parametrize("name", list(PROTOCOLS))
@given(text=st.text() | st.text(alphabet='{}[]":,<>/tolca_ \\n1'))
def test_any_text_is_survived_and_is_exactly_one_thing(name: str, text: str) -> None:
    reply = get_protocol(name).parse(text)
    readings = [bool(reply.calls), reply.conclusion is not None, bool(reply.problems)]
    assert any(readings)
    assert not (reply.calls and reply.conclusion is not None)


@pytest.mark.parametrize("depth", [50, 100_000])
def test_deep_nesting_is_survived(depth: int) -> None:
    text = (
        '<tool_call>{"name": "f", "arguments": {"x": '
        + "[" * depth
        + "]" * depth
        + "}}</tool_call>"
    )
    reply = get_protocol("native").parse(text)
    assert bool(reply.calls) != bool(reply.problems)


def test_conclusions_and_several_calls_are_written() -> None:
    native, react = get_protocol("native"), get_protocol("react_json")
    assert native.write(conclusion_message("Done.")) == "Done."
    assert react.parse(react.write(conclusion_message("Done."))).conclusion == "Done."
    two = calls_message([Call("f"), Call("g")])
    assert [c.name for c in native.parse(native.write(two)).calls] == ["f", "g"]
