"""Every dialect reads back what it writes, survives any text, and tells broken calls from whole."""

# ruff: noqa: RUF001 - DeepSeek's marks stand here as they are written

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reply_texts import is_one_thing, json_values, texts

from tooldrill.agent.call import Call
from tooldrill.agent.messages import call_message, calls_message
from tooldrill.agent.protocols.base import is_malformed
from tooldrill.agent.protocols.dialects.base import Dialect
from tooldrill.agent.protocols.dialects.braced import QUOTE
from tooldrill.agent.protocols.dialects.catalog import DIALECTS, all_variants
from tooldrill.agent.protocols.dialects.tagged import Tagged
from tooldrill.agent.protocols.json_text import dump
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.tool import Registry, Tool
from tooldrill.agent.violation import ViolationClass

VARIANTS = list(all_variants())
NAMES = st.from_regex(r"[A-Za-z_][\w.-]{0,12}", fullmatch=True)
# Dialects that write names as they are, not in quotes.
WRITES_NAMES_PLAINLY = {
    *("tagged", "glm", "minimax", "pythonic", "gemma"),
    *("named_json", "deepseek", "deepseek_r1", "kimi", "harmony"),
}


def names_for(dialect: Dialect) -> st.SearchStrategy[str]:
    plainly = dialect.name in WRITES_NAMES_PLAINLY
    return NAMES if plainly else texts.filter(str.strip)


def schema_of(value: Any) -> dict[str, Any]:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array",
             dict: "object", type(None): "null"}  # fmt: skip
    return {"type": kinds[type(value)]}


def registry_for(call: Call) -> Registry:
    """A tool whose parameters have the types of the call's arguments."""
    properties = {key: schema_of(value) for key, value in call.arguments.items()}
    return Registry([Tool(call.name, "", {"type": "object", "properties": properties})])


def can_write(dialect: Dialect, value: Any) -> bool:
    """A text that ends its own tag cannot be told from the tag."""
    if isinstance(dialect, Tagged):
        written = value if isinstance(value, str) else dump(value)
        return dialect.form.end_value not in written
    match value:
        case str() if dialect.name == "gemma":
            return QUOTE not in value
        case list():
            return all(can_write(dialect, one) for one in value)
        case dict():
            # In Gemma's dialect the keys of objects have no quotes either.
            plain = dialect.name != "gemma" or all(re.fullmatch(r"\w+", key) for key in value)
            return plain and all(can_write(dialect, one) for one in value.values())
    return True


@pytest.mark.parametrize("dialect", VARIANTS, ids=str)
@settings(max_examples=25)
@given(data=st.data())
def test_what_is_written_is_read_back(dialect: Dialect, data: st.DataObject) -> None:
    keys = NAMES if dialect.name in WRITES_NAMES_PLAINLY else texts
    values = json_values.filter(lambda value: can_write(dialect, value))
    arguments = data.draw(st.dictionaries(keys, values, max_size=4))
    call = Call(data.draw(names_for(dialect)), arguments)
    native = Native(dialect)
    thought = "" if dialect.lead is None else data.draw(st.sampled_from(["", "I look first."]))
    reply = native.parse(native.write(call_message(call, thought)), registry_for(call))
    assert reply.problems == ()
    assert reply.calls == (call,)
    assert dialect.read(dialect.write([call]), 0, registry_for(call)) == [call]
    for key, value in arguments.items():
        assert type(reply.calls[0].arguments[key]) is type(value)
    assert reply.thought == thought


@pytest.mark.parametrize("dialect", VARIANTS, ids=str)
def test_several_calls_are_one_violation(dialect: Dialect) -> None:
    native = Native(dialect)
    calls = (Call("f", {"x": 'a"b'}), Call("g", {}), Call("f", {"x": "c"}))
    reply = native.parse(native.write(calls_message(calls)))
    assert reply.calls == calls
    assert [p.kind for p in reply.problems] == [ViolationClass.MULTIPLE_CALLS]


MALFORMED = {
    "hermes": ['<tool_call>{"name": "f"', '<tool_call>{"name": "f"}</tool_call> and more'],
    "tagged": [
        "<tool_call>\n<function=f>\n<parameter=x>\n1\n</parameter>\n</function>",
        "<tool_call>\n<function=f>\n<parameter=x>\n1\n</function>\n</tool_call>",
        "<tool_call>\n<function=>\n</function>\n</tool_call>",
        "<tool_call>\n<function=f>\n<parameter=x>1</parameter>, </function>\n</tool_call>",
        "<tool_call>\n<function=f>\n<parameter=x>1</parameter>\n<parameter=x>2</parameter>\n"
        "</function>\n</tool_call>",
        '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>',
        "<tool_call>\n<function=f>\n</function>\n</tool_call> and more",
        "<function=f>\n</function>",
        "<function=f>\n</function>\n</tool_call>",
    ],
    "pythonic": [
        "<|tool_call_start|>[f(x=1)]",
        "<|tool_call_start|>[f(x=1)<|tool_call_end|>",
        "<|tool_call_start|>f(x=1)<|tool_call_end|>",
        "<|tool_call_start|>[f(1)]<|tool_call_end|>",
        "<|tool_call_start|>[f(x=1,)]<|tool_call_end|>",
        "<|tool_call_start|>[f(x=1, x=2)]<|tool_call_end|>",
        "<|tool_call_start|>[f(x=a)]<|tool_call_end|>",
        "<|tool_call_start|>[f(x=g(1))]<|tool_call_end|>",
        '<|tool_call_start|>[f(x="a\nb")]<|tool_call_end|>',
        '<|tool_call_start|>[f(x="\\q")]<|tool_call_end|>',
        '<|tool_call_start|>[f(x="\\ud83d")]<|tool_call_end|>',
        "<|tool_call_start|>[f(x={a: 1})]<|tool_call_end|>",
        "<|tool_call_start|>[f(x={'a': 1, 'a': 2})]<|tool_call_end|>",
        "<|tool_call_start|>[f(x=01.)]<|tool_call_end|>",
        "<|tool_call_start|>[f(x=1)]<|tool_call_end|> and more",
        "[f(x=1)]<|tool_call_end|>",
        "<|tool_call_start|>[]<|tool_call_end|>",
    ],
    "json_list": [
        '[TOOL_CALLS]{"name": "f", "arguments": {}}',
        '[TOOL_CALLS][{"name": "f", "arguments": {}}',
        '[TOOL_CALLS][{"name": "f", "arguments": {}},]',
        '[TOOL_CALLS][{"name": "f", "arguments": {}}] and more',
        "[TOOL_CALLS][]",
        '[{"name": "f", "arguments": {}}]',
    ],
    "named_json": [
        "[TOOL_CALLS]f[ARGS]",
        '[TOOL_CALLS]f[ARGS]{"x": 1',
        '[TOOL_CALLS]f{"x": 1}',
        '[TOOL_CALLS][ARGS]{"x": 1}',
        '[TOOL_CALLS]f[ARGS]{"x": 1} and more',
        "[TOOL_CALLS]f[ARGS][1]",
    ],
    "glm": [
        "<tool_call>f\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>",
        "<tool_call>f\n<arg_key>x</arg_key>\n<arg_value>1\n</tool_call>",
        "<tool_call>f\n<arg_key>x</arg_key>\n</tool_call>",
        "<tool_call>f\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>,\n</tool_call>",
        "<tool_call>f\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>\n<arg_key>x</arg_key>\n"
        "<arg_value>2</arg_value>\n</tool_call>",
        "<tool_call>f",
        "<tool_call></tool_call>",
        "<tool_call>f(x=1)</tool_call>",
        '<tool_call>f\n{"x": 1}\n</tool_call>',
        '<tool_call>{"name": "f", "arguments": {}}</tool_call>',
        "<tool_call>f\n</tool_call> and more",
        "f\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>",
        "f\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>\n</tool_call>",
    ],
    "minimax": [
        '<minimax:tool_call>\n<invoke name="f">\n</invoke>',
        '<minimax:tool_call>\n<invoke name="f">\n</minimax:tool_call>',
        '<minimax:tool_call>\n<invoke name="f">\n<parameter name="x">1</invoke>\n'
        "</minimax:tool_call>",
        '<minimax:tool_call>\n<invoke name="">\n</invoke>\n</minimax:tool_call>',
        "<minimax:tool_call>\n<invoke name=f>\n</invoke>\n</minimax:tool_call>",
        '<minimax:tool_call>\n<invoke name="f">\n{"x": 1}\n</invoke>\n</minimax:tool_call>',
        '<minimax:tool_call>\n<invoke name="f">\n</invoke>\n</minimax:tool_call> and more',
        '<invoke name="f">\n</invoke>',
        "<minimax:tool_call></minimax:tool_call>",
    ],
    "cohere": [
        '<|START_ACTION|>[{"tool_name": "f", "parameters": {}}]',
        '<|START_ACTION|>[{"tool_name": "f", "parameters": {}}<|END_ACTION|>',
        '<|START_ACTION|>{"tool_name": "f", "parameters": {}}<|END_ACTION|>',
        '<|START_ACTION|>[{"name": "f", "arguments": {}}]<|END_ACTION|>',
        '<|START_ACTION|>[{"tool_name": "f", "parameters": {}}]<|END_ACTION|> and more',
        '[{"tool_name": "f", "parameters": {}}]',
        "<|START_THINKING|>hm",
        "<|START_RESPONSE|><|END_RESPONSE|>",
    ],
    "deepseek": [
        '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{"x": 1}<｜tool▁calls▁end｜>',
        '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{"x": 1}<｜tool▁call▁end｜>',
        '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f{"x": 1}<｜tool▁call▁end｜>'
        "<｜tool▁calls▁end｜>",
        '<｜tool▁call▁begin｜>f<｜tool▁sep｜>{"x": 1}<｜tool▁call▁end｜>',
        "<｜tool▁calls▁begin｜><｜tool▁calls▁end｜>",
    ],
    "deepseek_r1": [
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{}\n"
        "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{}<｜tool▁call▁end｜>"
        "<｜tool▁calls▁end｜>",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{}\n```",
    ],
    "kimi": [
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}"
        "<|tool_call_end|>",
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.f<|tool_call_argument_begin|>{}"
        "<|tool_call_end|><|tool_calls_section_end|>",
        "<|tool_calls_section_begin|><|tool_call_begin|>f:0<|tool_call_argument_begin|>{}"
        "<|tool_call_end|><|tool_calls_section_end|>",
        "<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|>",
    ],
    "harmony": [
        ' to=functions.f<|channel|>commentary json<|message|>{"x": 1',
        ' to=functions.f<|channel|>commentary json{"x": 1}',
        ' to=functions.f<|message|>{"x": 1}',
        ' to=browser.search<|channel|>commentary json<|message|>{"x": 1}',
        " to=functions.f<|channel|>commentary json<|message|>{} and more",
        '<|channel|>commentary to=functions.f <|constrain|>json{"x": 1}',
        "<|channel|>analysis<|message|>I look first.",
        "<|channel|>analysis<|message|>I look first.<|end|>",
        "<|channel|>final<|message|>",
    ],
    "gemma": [
        "<|tool_call>call:f{x:1}",
        "<|tool_call>call:f{x:1<tool_call|>",
        '<|tool_call>call:f{x:<|"|>a}<tool_call|>',
        "<|tool_call>call:f{x:a}<tool_call|>",
        '<|tool_call>call:f{x:"a"}<tool_call|>',
        "<|tool_call>call:f{x:1,x:2}<tool_call|>",
        "<|tool_call>call:f{x}<tool_call|>",
        "<|tool_call>call:f{x:[1,]}<tool_call|>",
        "<|tool_call>call:f(x=1)<tool_call|>",
        "<|tool_call>f{x:1}<tool_call|>",
        "<|tool_call>call:f{}<tool_call|> and more",
        "call:f{x:1}<tool_call|>",
        "<|channel>thought\nhm",
    ],
    "bare_json": [
        '{"name": "f", "parameters": {"x": 1}',
        '{"name": "f", "parameters": {"x": 1}} and more',
        'I look. {"name": "f", "parameters": {"x": 1}}',
        '{"name": "f", "parameters": "x"}',
        '{"name": "f", "arguments": {"x": 1}}',
        "{'name': 'f', 'parameters': {}}",
        '{"na',
    ],
}


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, found in MALFORMED.items() for text in found]
)
def test_what_is_malformed(name: str, text: str) -> None:
    reply = Native(DIALECTS[name]).parse(text)
    assert [p.kind for p in reply.problems] == [ViolationClass.MALFORMED_CALL]
    assert reply.problems[0].message.endswith((".", "?"))
    assert "\n" not in reply.problems[0].message
    assert (reply.calls, reply.conclusion) == ((), None)


def test_every_dialect_has_malformed_examples() -> None:
    assert set(MALFORMED) == set(DIALECTS)


@pytest.mark.parametrize("name", list(DIALECTS))
@pytest.mark.parametrize(
    "text", ["All done.", 'The record is {"name": "Bob", "age": 3}.', "f(x) = [1, 2]", "12"]
)
def test_an_answer_is_no_call_in_any_dialect(name: str, text: str) -> None:
    reply = Native(DIALECTS[name]).parse(text)
    assert (reply.conclusion, reply.problems) == (text, ())


@pytest.mark.parametrize("name", list(DIALECTS))
def test_a_call_of_another_dialect_is_malformed(name: str) -> None:
    native, call = Native(DIALECTS[name]), Call("f", {"x": "a"})
    for other in DIALECTS.values():
        if other.name != name:
            assert is_malformed(native.parse(other.write([call]))), other.name


@pytest.mark.parametrize("name", list(DIALECTS))
def test_thinking_belongs_to_the_thought_and_makes_no_call(name: str) -> None:
    dialect = DIALECTS[name]
    text = dialect.write([Call("f", {"x": "</think>\n"})])
    trap = dialect.write([Call("g", {})])
    for before in ("", "<think>\nhm\n</think>\n\n", f"<think>{trap}</think>", "hm\n</think>\n\n"):
        reply = Native(dialect).parse(before + text)
        assert [c.name for c in reply.calls] == ["f"]
        assert str(reply.calls[0].arguments["x"]).strip() == "</think>"


PIECES = [
    "<tool_call>", "</tool_call>", "<function=f>", "</function>", "<parameter=x>", "</parameter>",
    "<|tool_call_start|>", "<|tool_call_end|>", "[TOOL_CALLS]", "[ARGS]", "[f(x=", "(", ")", "[",
    "]", "{", "}", '"', "'", "\\", "\n", ",", ":", "1", '"name": "f"', '"parameters": ', "None",
    "</think>", "\ud800", "=", "<arg_key>", "</arg_key><arg_value>", "</arg_value>",
    "<minimax:tool_call>", '<invoke name="f">', "<|START_ACTION|>", "<|END_ACTION|>",
    " to=functions.", "<|channel|>commentary", "<|channel|>final", "<|message|>", "<|tool_call>",
    "call:f{", '<|"|>', "<tool_call|>", "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>",
    "<|tool_call_begin|>functions.f:",
]  # fmt: skip


@pytest.mark.parametrize("name", list(DIALECTS))
@settings(max_examples=200, deadline=None)
@given(parts=st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12))
def test_any_text_is_survived_and_is_exactly_one_thing(name: str, parts: list[str]) -> None:
    native = Native(DIALECTS[name])
    assert is_one_thing(native.parse("".join(parts)))
    mended = native.repair("".join(parts))
    assert mended is None or (mended.repaired and is_one_thing(mended))


@pytest.mark.parametrize("name", list(DIALECTS))
@pytest.mark.parametrize("unit", [*PIECES, "[f(x=[", "<parameter=x></parameter> ", "{'a':", "  "])
def test_reading_takes_time_linear_in_the_reply(name: str, unit: str) -> None:
    dialect = DIALECTS[name]
    start = dialect.write([Call("f", {"x": ["a"]})]).split("a")[0]
    for head in ("", start, dialect.marks[0]):
        before = time.process_time()
        Native(dialect).parse(head + unit * (100_000 // len(unit)) + "x")
        assert time.process_time() - before < 1.5


def nested(opening: str, closing: str) -> Callable[[int], str]:
    return lambda depth: opening * depth + "1" + closing * depth


@pytest.mark.parametrize(("depth", "read"), [(40, True), (900, False), (99_999, False)])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
@pytest.mark.parametrize("name", list(DIALECTS))
def test_extreme_nesting_is_refused(name: str, brackets: str, depth: int, read: bool) -> None:
    dialect = DIALECTS[name]
    deep = nested("[", "]") if brackets == "[]" else nested('{"a":', "}")
    if dialect.untyped:
        text = dialect.write([Call("f", {"x": "MARK"})]).replace("MARK", deep(depth))
        value = Native(dialect).parse(text).calls[0].arguments["x"]
        assert isinstance(value, list | dict) == read  # what cannot be read stays text
        return
    value = deep(depth).replace('"', "") if dialect.name == "gemma" else deep(depth)
    written = dialect.write([Call("f", {"x": "MARK"})]).replace(QUOTE, '"')
    text = written.replace('"MARK"', value)
    assert bool(Native(dialect).parse(text).calls) == read
