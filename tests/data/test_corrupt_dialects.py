"""Every class of violation is written, read back and found in every dialect."""

from __future__ import annotations

import random
from typing import Any

import pytest
from corrupt_moments import CALLS, PASTS, REGISTRY

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_reply
from tooldrill.agent.messages import call_message, calls_message, user
from tooldrill.agent.protocols.base import is_malformed
from tooldrill.agent.protocols.dialects.catalog import DIALECTS, all_variants
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.reading import read_reply
from tooldrill.agent.violation import ViolationClass as V
from tooldrill.data.corrupt.catalog import EPISODE_CLASSES, corrupt
from tooldrill.data.corrupt.damage import (
    DAMAGES,
    applicable,
    damaged_message,
    for_protocol,
    is_expressible,
    refusal_of,
)
from tooldrill.data.corrupt.faithful import InexpressibleError
from tooldrill.data.corrupt.moment import Moment

TOOLS = REGISTRY.to_openai()
CALL = Call("read_file", {"path": "it's.txt", "start_line": 2})


def as_shown(message: dict[str, Any], native: Native) -> str:
    (shown,) = for_protocol([message], native, TOOLS)
    return native.write(shown)


@pytest.mark.parametrize("kind", list(V))
@pytest.mark.parametrize("name", list(DIALECTS))
def test_each_class_is_found_again(name: str, kind: V) -> None:
    native, made, untold = Native(DIALECTS[name]), 0, 0
    for seed in range(60):
        rng = random.Random(seed)
        call, past = rng.choice([rng.choice(CALLS), None]), rng.choice(PASTS)
        moment = Moment(REGISTRY, call, "It is done.", past, needs_calls=call is not None)
        corruption = corrupt(kind, moment, rng)
        if corruption is None:
            continue
        try:
            text = as_shown(corruption.message, native)
        except InexpressibleError:
            untold += 1
            continue
        reply = read_reply(text, native, REGISTRY)
        found = {violation.kind for violation in check_reply(reply, REGISTRY, past)}
        made += 1
        if kind in EPISODE_CLASSES:
            assert found == set()
        else:
            assert kind in found
            assert found == {kind} or kind is V.REPEATED_FAILURE
        if kind is V.MULTIPLE_CALLS:
            assert reply.calls[0] == call
    assert made > 5
    # Only a dialect without types has wrong types that it cannot show.
    assert not untold or (DIALECTS[name].untyped and kind is V.WRONG_TYPE and untold < made)


@pytest.mark.parametrize("name", list(DIALECTS))
@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_is_unreadable_in_every_way_of_writing(name: str, kind: str) -> None:
    for dialect in all_variants():
        if dialect.name != name:
            continue
        native = Native(dialect)
        for call in [*CALLS, CALL]:
            if kind not in applicable(call):
                continue
            for cut in (0.3, 0.5, 0.95):
                text = as_shown(damaged_message(call, kind, cut), native)
                reply = read_reply(text, native, REGISTRY)
                assert [p.kind for p in reply.problems] == [V.MALFORMED_CALL], text
                assert (reply.calls, reply.conclusion) == ((), None)


SHOWN = {
    ("tagged", "unclosed"): (
        "<tool_call>\n<function=read_file>\n<parameter=path>\nit's.txt\n</parameter>\n"
        "<parameter=start_line>\n2\n</parameter>\n</function>"
    ),
    ("tagged", "quoted_arguments"): (
        '<tool_call>\n<function=read_file>\n{"path": "it\'s.txt", "start_line": 2}\n</function>\n'
        "</tool_call>"
    ),
    ("pythonic", "flat_arguments"): (
        '<|tool_call_start|>[read_file("it\'s.txt", 2)]<|tool_call_end|>'
    ),
    ("pythonic", "trailing_comma"): (
        '<|tool_call_start|>[read_file(path="it\'s.txt", start_line=2,)]<|tool_call_end|>'
    ),
    ("json_list", "unclosed"): (
        '[TOOL_CALLS][{"name": "read_file", "arguments": {"path": "it\'s.txt", "start_line": 2}}'
    ),
    ("named_json", "flat_arguments"): (
        '[TOOL_CALLS]read_file{"path": "it\'s.txt", "start_line": 2}'
    ),
    ("bare_json", "prose"): (
        'I will call read_file.\n{"name": "read_file", "parameters": {"path": "it\'s.txt", '
        '"start_line": 2}}'
    ),
    ("bare_json", "quoted_arguments"): (
        '{"name": "read_file", "parameters": "{\\"path\\": \\"it\'s.txt\\", \\"start_line\\": 2}"}'
    ),
}


@pytest.mark.parametrize(("name", "kind"), list(SHOWN))
def test_the_text_of_damage(name: str, kind: str) -> None:
    assert as_shown(damaged_message(CALL, kind), Native(DIALECTS[name])) == SHOWN[name, kind]


@pytest.mark.parametrize("name", list(DIALECTS))
def test_the_refusal_speaks_of_the_text_that_is_shown(name: str) -> None:
    native = Native(DIALECTS[name])
    turn = damaged_message(CALL, "unclosed", learn=False)
    shown, refused = for_protocol([turn, refusal_of(turn)], native, TOOLS)
    (problem,) = native.parse(shown["content"], REGISTRY).problems
    assert refused["content"] == f"ERROR: {problem.message}"
    assert shown["weight"] == 0


def test_a_number_as_text_is_quoted_where_values_have_no_types() -> None:
    native = Native(DIALECTS["tagged"])
    wrong = Call("read_file", {"path": "x", "start_line": "3"})
    text = as_shown(call_message(wrong), native)
    assert '<parameter=start_line>\n"3"\n</parameter>' in text
    assert read_reply(text, native, REGISTRY).calls == (wrong,)
    # A right call is left to the template.
    right = call_message(Call("read_file", {"path": "3", "start_line": 3}))
    assert for_protocol([right], native, TOOLS) == [right]


@pytest.mark.parametrize("value", [["x"], None, 12])
def test_what_reads_as_right_is_left_out(value: Any) -> None:
    wrong = call_message(Call("read_file", {"path": value}))
    row = {
        "tools": TOOLS,
        "prompt": [user("Read it.")],
        "chosen": [call_message(Call("read_file", {"path": "x"}))],
        "rejected": [wrong],
    }
    told = {name: is_expressible(row, Native(dialect)) for name, dialect in DIALECTS.items()}
    assert told == {name: not dialect.untyped for name, dialect in DIALECTS.items()}
    answered = {"tools": TOOLS, "messages": [user("Read it."), {**wrong, "weight": 0}]}
    assert not is_expressible(answered, Native(DIALECTS["tagged"]))


@pytest.mark.parametrize("name", list(DIALECTS))
def test_several_answered_calls_stay_where_they_can_be_read(name: str) -> None:
    native = Native(DIALECTS[name])
    turn = calls_message([CALL, Call("wait")], learn=False)
    shown = for_protocol([turn, user("ok")], native, TOOLS)[0]
    assert not is_malformed(native.parse(native.write(shown), REGISTRY))
    assert len(shown["tool_calls"]) == 2
