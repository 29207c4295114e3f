"""What must hold of the grammars for any tool, any arguments and every dialect.

What the checker accepts fits; what fits has none of the violations that are said to be impossible.
"""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from grammar_texts import PROTOCOLS, fits, has_tokens
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from tool_strategies import json_values, tools_and_arguments

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls, check_reply
from tooldrill.agent.constrain.grammar import reply_grammar
from tooldrill.agent.constrain.numbers import DIGITS
from tooldrill.agent.json_schema import JsonSchema, object_properties
from tooldrill.agent.messages import call_message
from tooldrill.agent.protocols.base import CallProtocol, calls_of
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.reading import read_reply
from tooldrill.agent.settings import ConstrainMode
from tooldrill.agent.tool import Registry, Tool
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.traces import record
from tooldrill.data.worlds.catalog import WORLDS

pytestmark = pytest.mark.slow

protocols = st.sampled_from(PROTOCOLS)
modes = st.sampled_from(["call", "full"])
some = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

FOREIGN = Tool("remove_all", "", {"type": "object", "properties": {"force": {"type": "boolean"}}})


def text_of(protocol: CallProtocol, call: Call, registry: Registry) -> str:
    if isinstance(protocol, Native):
        return protocol.dialect.write([call], registry)
    return protocol.write(call_message(call))


def sayable(protocol: CallProtocol, value: Any) -> bool:
    """Whether the grammar has a way to write the value at all."""
    match value:
        case bool() | None:
            return True
        case int():
            return abs(value) < 10**DIGITS
        case float():
            return value == 0 or -300 < math.log10(abs(value)) < 289
        case str():
            # Between tags a text stands as it is, and llama.cpp takes no NUL.
            untyped = isinstance(protocol, Native) and protocol.dialect.untyped
            return not untyped or not ("\0" in value or "</" in value)
        case list():
            return all(sayable(protocol, one) for one in value)
    return all(sayable(protocol, one) for pair in value.items() for one in pair)


def whole(value: Any) -> Any:
    """1.0 as 1: a whole number is written without a point."""
    match value:
        case float() if value.is_integer() and abs(value) < 2**53:
            return int(value)
        case list():
            return [whole(one) for one in value]
        case dict():
            return {key: whole(one) for key, one in value.items()}
    return value


def in_declared_order(value: Any, schema: JsonSchema | bool) -> Any:
    """The value with every object's properties in the order of its schema."""
    schema = schema if isinstance(schema, dict) else {}
    options = [schema, *schema.get("anyOf", ())]
    if isinstance(value, dict):
        named = object_properties(schema)
        others = next(
            (o["additionalProperties"] for o in options if "additionalProperties" in o), 0
        )
        return {
            name: in_declared_order(value[name], named.get(name) or others or {})
            for name in dict.fromkeys([*named, *value])
            if name in value
        }
    if isinstance(value, list):
        places = next((o["prefixItems"] for o in options if "prefixItems" in o), [])
        item = next((o["items"] for o in options if "items" in o), None) or {}
        schemas = [*places, *[item] * len(value)]
        return [in_declared_order(one, schemas[n]) for n, one in enumerate(value)]
    return value


@some
@given(made=tools_and_arguments(), protocol=protocols, mode=modes)
def test_a_disciplined_call_fits(
    made: tuple[Tool, dict[str, Any]], protocol: CallProtocol, mode: ConstrainMode
) -> None:
    tool, arguments = made
    assume(sayable(protocol, arguments))
    registry = Registry([tool, FOREIGN])
    ordered = in_declared_order(whole(arguments), tool.schema)
    text = text_of(protocol, Call(tool.name, ordered), registry)
    assume(has_tokens(text) and not check_reply(read_reply(text, protocol, registry), registry))
    grammar = reply_grammar(registry, protocol, mode)
    assert grammar is not None
    assert fits(grammar, text)
    if not isinstance(protocol, Native):
        assert not fits(grammar, text + text)


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[Tool, Call]:
    """A tool, and a call of it in which something may be wrong."""
    tool, arguments = draw(tools_and_arguments())
    name = tool.name
    match draw(st.sampled_from(["value", "drop", "add", "borrow", "name", "terminator"])):
        case "value" if arguments:
            arguments = {**arguments, draw(st.sampled_from(sorted(arguments))): draw(json_values)}
        case "drop" if arguments:
            gone = draw(st.sampled_from(sorted(arguments)))
            arguments = {key: value for key, value in arguments.items() if key != gone}
        case "add":
            arguments = {**arguments, draw(st.from_regex(r"[a-z_]{1,9}", fullmatch=True)): 1}
        case "borrow":
            arguments = {**arguments, "force": True}
        case "name":
            name = draw(st.from_regex(r"[a-z_]{1,9}", fullmatch=True))
        case "terminator":
            name = "final_answer"
    return tool, Call(name, in_declared_order(arguments, tool.schema))


@some
@given(made=spoilt(), protocol=protocols, mode=modes, before=st.sampled_from(["", "I look. "]))
def test_no_impossible_violation_fits(
    made: tuple[Tool, Call], protocol: CallProtocol, mode: ConstrainMode, before: str
) -> None:
    tool, call = made
    assume(sayable(protocol, call.arguments))
    registry = Registry([tool, FOREIGN])
    assume(not (protocol.name == "react_json" or protocol.shape.startswith("{")) or not before)
    text = before + text_of(protocol, call, registry)
    violations = check_reply(read_reply(text, protocol, registry), registry)
    grammar = reply_grammar(registry, protocol, mode)
    assert grammar is not None
    impossible = [str(one.kind) for one in violations if one.kind in grammar.impossible]
    for kind in impossible:
        event(kind)
    assert not (impossible and fits(grammar, text))


@some
@given(made=spoilt(), protocol=protocols)
def test_of_plain_types_every_class_is_impossible(
    made: tuple[Tool, Call], protocol: CallProtocol
) -> None:
    plain = {"a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": "boolean"}}
    schema = {"type": "object", "properties": plain, "required": ["a"]}
    registry = Registry([Tool("do_it", "", schema), FOREIGN])
    grammar = reply_grammar(registry, protocol, "full")
    assert grammar is not None
    others = {ViolationClass.REPEATED_FAILURE, ViolationClass.MALFORMED_CALL}
    call = Call("do_it", made[1].arguments)
    assume(sayable(protocol, call.arguments))
    found = {one.kind for one in check_calls([call], registry)}
    assert found <= grammar.impossible | others


def test_what_is_learned_fits() -> None:
    """The oracle's replies, in every world and as each dialect writes them, are not bent."""
    worlds = [*WORLDS, "forge-000001", "forge-000002"]
    tasks = make_tasks(
        worlds, len(worlds), "fits", (2, 5), recovery=0.2, restraint=0.2, masking=0.3
    )
    calls = 0
    for number, task in enumerate(tasks):
        trace = record(task, random.Random(task.id))
        assert trace is not None
        # Each world in some of the protocols, each protocol in some of the worlds.
        for protocol in PROTOCOLS[number % 4 :: 4]:
            grammar = reply_grammar(trace.registry, protocol, "full")
            assert grammar is not None
            for message in (turn.reply for turn in trace.turns):
                text = protocol.write(message)
                if message.get("tool_calls") and isinstance(protocol, Native):
                    written = protocol.dialect.write(calls_of(message), trace.registry)
                    text = protocol.join(message["content"], written)
                calls += bool(message.get("tool_calls"))
                assert not has_tokens(text) or fits(grammar, text), text
    assert calls > len(tasks)


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda one: one.shape)
def test_text_of_any_kind_survives_the_way_through_a_grammar(protocol: CallProtocol) -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    registry = Registry([Tool("say", "", schema)])
    grammar = reply_grammar(registry, protocol, "full")
    assert grammar is not None
    for value in (
        "", "a\nb\tc", 'say "hi"', "back\\slash\\", "it's", "naïve", "日本語", "😀", "\u2028",
        "{}[]()<>,:;=", "<tool_call>", "[TOOL_CALLS]", "\x7f", "\u00a0",
    ):  # fmt: skip
        text = text_of(protocol, Call("say", {"text": value}), registry)
        assert fits(grammar, text), text
        assert read_reply(text, protocol, registry).calls == (Call("say", {"text": value}),)
