"""The exact text of each damage, in both protocols."""

from __future__ import annotations

import pytest

from tooldrill.agent.call import Call
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.data.corrupt.damage import (
    DAMAGES,
    applicable,
    damaged_message,
    for_protocol,
    refusal_of,
)

CALL = Call("read_file", {"path": "it's.txt", "start_line": 2})
NATIVE = {
    "truncated": '<tool_call>{"name": "read_file", "arguments": {',
    "trailing_comma": '<tool_call>{"name": "read_file", "arguments": {"path": "it\'s.txt", '
    '"start_line": 2},}</tool_call>',
    "single_quotes": "<tool_call>{'name': 'read_file', 'arguments': {'path': \"it's.txt\", "
    "'start_line': 2}}</tool_call>",
    "markdown_fence": '```json\n{"name": "read_file", "arguments": {"path": "it\'s.txt", '
    '"start_line": 2}}\n```',
    "unclosed": '<tool_call>{"name": "read_file", "arguments": {"path": "it\'s.txt", '
    '"start_line": 2}}',
    "prose": '<tool_call>I will call read_file with path "it\'s.txt" and start_line 2.</tool_call>',
    "function_syntax": '<tool_call>read_file(path="it\'s.txt", start_line=2)</tool_call>',
    "flat_arguments": '<tool_call>{"name": "read_file", "path": "it\'s.txt", "start_line": 2}'
    "</tool_call>",
    "quoted_arguments": '<tool_call>{"name": "read_file", "arguments": "{\\"path\\": '
    '\\"it\'s.txt\\", \\"start_line\\": 2}"}</tool_call>',
}
REACT = {
    "unclosed": '{"thought": "", "action": "read_file", "args": {"path": "it\'s.txt", '
    '"start_line": 2}',
    "prose": 'I will call read_file with path "it\'s.txt" and start_line 2.',
    "flat_arguments": '{"thought": "", "action": "read_file", "path": "it\'s.txt", '
    '"start_line": 2}',
}


def test_every_damage_has_an_expected_text() -> None:
    assert set(NATIVE) == set(DAMAGES)


@pytest.mark.parametrize("kind", list(NATIVE))
def test_the_stored_text_is_the_native_one(kind: str) -> None:
    message = damaged_message(CALL, kind, cut=0.5)
    assert message["content"] == NATIVE[kind]
    assert message["malformed"] is True
    assert "weight" not in message
    assert for_protocol([message], get_protocol("native")) == [message]


@pytest.mark.parametrize("kind", list(REACT))
def test_the_same_damage_in_react_json(kind: str) -> None:
    message = damaged_message(CALL, kind, learn=False)
    [shown] = for_protocol([message], get_protocol("react_json"))
    assert shown["content"] == REACT[kind]
    assert shown["weight"] == 0


def test_the_refusal_speaks_of_the_protocol_that_is_shown() -> None:
    turn = damaged_message(CALL, "markdown_fence", learn=False)
    refused = refusal_of(turn)
    assert refused["role"] == "user"
    assert refused["content"] == (
        'ERROR: A call must be written as <tool_call>{"name": ..., "arguments": {...}}</tool_call>.'
    )
    _, shown = for_protocol([turn, refused], get_protocol("react_json"))
    assert shown["content"].startswith("ERROR: Write the JSON object itself")


def test_messages_without_damage_are_left_alone() -> None:
    messages = [
        {"role": "user", "content": "hi {"},
        {"role": "assistant", "content": "<tool_call>{", "malformed": True},
    ]
    assert for_protocol(messages, get_protocol("react_json")) == messages


def test_arguments_that_would_read_as_outer_keys_are_not_flattened() -> None:
    assert "flat_arguments" not in applicable(Call("rename", {"name": "x"}))
    assert "flat_arguments" not in applicable(Call("wait", {}))
    assert "flat_arguments" in applicable(Call("rename", {"name": "x", "to": "y"}))
