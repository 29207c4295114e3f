"""Any text is survived, read in time that grows with its length, and what is written reads back."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reply_texts import CALL, in_protocol, is_one_thing, json_values, mutated, texts

from tooldrill.agent.call import Call
from tooldrill.agent.episode import CallRecord, Step
from tooldrill.agent.messages import call_message
from tooldrill.agent.protocols.catalog import PROTOCOLS, get_protocol
from tooldrill.agent.violation import ViolationClass


@pytest.mark.parametrize("name", list(PROTOCOLS))
@given(
    thought=texts.filter(lambda text: not set(text) & set("<{[")).map(str.strip),
    tool=texts.filter(str.strip),
    arguments=st.dictionaries(texts, json_values, max_size=4),
)
def test_what_is_written_is_read_back(
    name: str, thought: str, tool: str, arguments: dict[str, Any]
) -> None:
    protocol = get_protocol(name)
    reply = protocol.parse(protocol.write(call_message(Call(tool, arguments), thought)))
    assert reply.calls == (Call(tool, arguments),)
    assert reply.thought == thought
    assert reply.problems == ()


@pytest.mark.parametrize("name", list(PROTOCOLS))
@settings(max_examples=300, deadline=None)
@given(text=mutated() | st.text() | st.text(alphabet='{}[]":,<>/tolca_ \\n1\ud800'))
def test_any_text_is_survived_and_is_exactly_one_thing(name: str, text: str) -> None:
    protocol = get_protocol(name)
    reply = protocol.parse(text)
    mended = protocol.repair(text)
    assert is_one_thing(reply)
    assert not reply.repaired
    for one in (reply, mended):
        if one is not None:
            # Whatever was read can be stored: as UTF-8, by strict JSON and by pydantic.
            json.dumps([asdict(call) for call in one.calls], allow_nan=False)
            records = [CallRecord(name=c.name, arguments=c.arguments) for c in one.calls]
            step = Step(reply=one.text, thought=one.thought, calls=records, violations=one.problems)
            step.model_dump_json().encode()
    if mended is not None:
        assert mended.repaired and is_one_thing(mended)
        assert reply.problems[0] == mended.problems[0]
        assert reply.problems[0].kind is ViolationClass.MALFORMED_CALL


@pytest.mark.parametrize("name", list(PROTOCOLS))
@pytest.mark.parametrize(
    "unit",
    [
        "<tool_call>",
        '{"a":{"a":',
        "```",
        "{",
        '{"name":{}',
        '"\\',
        "<think></think>",
        " ",
        "Action:\n",
        "[f(a=",
        f"<tool_call>{CALL}</tool_call>",
        '{"x": [{"y',
        "(a=",
        "'\"",
        '["a" ',
    ],
)
@pytest.mark.parametrize("head", ["", '<tool_call>{"name": "f", "arguments": {"x": ['])
def test_reading_takes_time_linear_in_the_reply(name: str, unit: str, head: str) -> None:
    """200 kB in a second: anything quadratic takes minutes. Mending has its own bound."""
    text = head + unit * (200_000 // len(unit)) + "x"
    protocol = get_protocol(name)
    start = time.process_time()
    protocol.parse(text)
    read = time.process_time()
    protocol.repair(text[:100_000])
    assert read - start < 2
    assert time.process_time() - read < 4


@pytest.mark.parametrize("name", list(PROTOCOLS))
@pytest.mark.parametrize(
    ("depth", "read"), [(50, True), (70, False), (900, False), (99_999, False)]
)
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_any_nesting_is_survived_and_extremes_refused(
    name: str, depth: int, read: bool, opening: str, closing: str
) -> None:
    value = opening * depth + "1" + closing * depth
    reply = get_protocol(name).parse(in_protocol(name, f'{{"x": {value}}}'))
    assert bool(reply.calls) == read
    assert is_one_thing(reply)
