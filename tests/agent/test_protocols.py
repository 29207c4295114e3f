"""Reading replies: what is a call, what is a conclusion, what is neither."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tooldrill.agent.call import Call, Reply
from tooldrill.agent.episode import CallRecord, Step
from tooldrill.agent.messages import call_message, calls_message, conclusion_message
from tooldrill.agent.protocols.base import is_malformed, reply_from_calls
from tooldrill.agent.protocols.catalog import PROTOCOLS, get_protocol
from tooldrill.agent.violation import ViolationClass

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


# Values that hold the protocols' own marks are data like any other.
texts = st.text() | st.sampled_from(
    ["<tool_call>", "a</tool_call>b", "</think>\n", "<think>", "```json\n{", '{"name": "f"}']
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


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


VALID = [
    f"I look first.\n<tool_call>{CALL}</tool_call>",
    f"<think>\nhm\n</think>\n<tool_call>{CALL}</tool_call>",
    '{"thought": "t", "action": "f", "args": {"x": [1, {"y": "a \\"b\\""}]}}',
    '{"thought": "t", "conclusion": "Done: {1}."}',
    "The record is {'name': 'Bob'}.",
]
SPLINTERS = st.sampled_from(
    [
        "",
        "{",
        "}",
        '"',
        "'",
        ",",
        "\\",
        "```",
        "\n",
        "<think>",
        "</think>",
        "\ud800",
        "NaN",
        "[" * 99,
        "<tool_call>",
        "</tool_call>",
        '{"name": "f", "arguments": {}}',
        '"x": 1, "x": 2',
        "9" * 5000,
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A valid reply, cut, with pieces lost, put in or doubled, perhaps in a fence."""
    text = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 8)))
        middle = draw(st.sampled_from([draw(SPLINTERS), text[start:end] * 2]))
        text = text[:start] + middle + text[end:]
    text = text[: draw(st.none() | st.integers(0, len(text)))]
    return f"```json\n{text}\n```" if draw(st.booleans()) else text


def is_one_thing(reply: Reply) -> bool:
    """Calls, or a conclusion, or malformed: never two of them, unless it was mended."""
    kinds = [problem.kind for problem in reply.problems]
    unread = kinds[:1] == [ViolationClass.MALFORMED_CALL] and not reply.repaired
    several = [ViolationClass.MULTIPLE_CALLS] if len(reply.calls) > 1 else []
    expected = [ViolationClass.MALFORMED_CALL] * (unread or reply.repaired) + several
    readings = [bool(reply.calls), reply.conclusion is not None, unread]
    return readings.count(True) == 1 and kinds == expected


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


def in_protocol(name: str, arguments: str) -> str:
    """A call of f with the given text as its arguments."""
    if name == "native":
        return f'<tool_call>{{"name": "f", "arguments": {arguments}}}</tool_call>'
    return f'{{"thought": "", "action": "f", "args": {arguments}}}'


@pytest.mark.parametrize("name", list(PROTOCOLS))
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('{"x": 1, "x": 2}', 'Give "x" only once'),
        ('{"x": {"y": 1, "y": 1}}', 'Give "y" only once'),
        ('{"x": NaN}', "NaN is not JSON"),
        ('{"x": -Infinity}', "-Infinity is not JSON"),
        ('{"x": 1e999}', "1e999 is too large"),
        ('{"x": ' + "7" * 5000 + "}", "5000 digits"),
        ('{"x": "\\ud83d"}', "half a character"),
        ('{"\ud83d": 1}', "half a character"),
        ("null", "as a JSON object"),
        ("[1]", "as a JSON object"),
        ('{"x": 1,}', "leave out the comma"),
        ("{'x': 1}", "double quotes"),
        ("{x: 1}", "every key in double quotes"),
        ('{"x": True}', "true, false and null"),
        ('{"x": "a\nb"}', "line break inside a string"),
        ('{"x": "C:\\d"}', "backslash"),
        ('{"x": "say "hi" now"}', "a quote inside a string"),
    ],
)
def test_what_strict_json_refuses_is_explained(name: str, arguments: str, told: str) -> None:
    text = in_protocol(name, arguments)
    (problem,) = get_protocol(name).parse(text).problems
    assert problem.kind is ViolationClass.MALFORMED_CALL
    assert told in problem.message
    assert "\n" not in problem.message and problem.message.endswith(".")
    assert len(problem.message) < 250


def test_pairs_of_surrogates_are_one_character() -> None:
    text = in_protocol("native", '{"x": "\\ud83d\\ude00"}')
    assert get_protocol("native").parse(text).calls == (Call("f", {"x": "\U0001f600"}),)


def test_broken_json_is_told_with_its_place() -> None:
    text = '<tool_call>\n{"name": "f",\n "arguments": {"x": 1,}}\n</tool_call>'
    (problem,) = get_protocol("native").parse(text).problems
    assert "line 3, column 23, near" in problem.message
    (cut,) = get_protocol("native").parse(text[:40]).problems
    assert "cut off" in cut.message


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_thinking_belongs_to_the_thought_and_makes_no_call(name: str) -> None:
    protocol = get_protocol(name)
    call = in_protocol(name, '{"x": "</think>"}')
    trap = in_protocol(name, '{"y": 0}')
    for thinking in (f"<think>\nhm {trap}\n</think>\n\n", "<think></think>\n"):
        reply = protocol.parse(thinking + call)
        assert reply.calls == (Call("f", {"x": "</think>"}),)
        assert ("hm" in reply.thought) == ("hm" in thinking)
    # A template may open the block in the prompt: then only its end is seen.
    assert protocol.parse("I wonder.\n</think>\n\n" + call).calls == (Call("f", {"x": "</think>"}),)
    for text in (f"<think>hm {call}", "<think>hm</think>\n", "<think>"):
        (problem,) = protocol.parse(text.replace('</think>"', "")).problems
        assert problem.kind is ViolationClass.MALFORMED_CALL


def test_thinking_is_kept_as_the_template_wants_it() -> None:
    text = f"<think>\nhm\n</think>\nI look.\n<tool_call>{CALL}</tool_call>"
    assert get_protocol("native").parse(text).thought == "<think>\nhm\n</think>\nI look."
    concluded = get_protocol("native").parse("<think>hm</think>\nDone.")
    assert (concluded.thought, concluded.conclusion) == ("<think>hm</think>", "Done.")
    react = get_protocol("react_json").parse('<think>hm</think>{"thought": "t", "conclusion": "x"}')
    assert (react.thought, react.conclusion) == ("hm\nt", "x")


@pytest.mark.parametrize(
    "text",
    [
        'I will call:\n```json\n{"name": "read", "arguments": {"path": "a"}}\n```',
        'I will call {"name": "read", "arguments": {"path": "a"}} now.',
        'Next: {"arguments": {"path": "}"}, "name": "read"}',
        "{'name': 'read', 'arguments': {'path': 'a'}}",
        "{name: 'read', arguments: {path: 'a'}}",
        '[{"name": "read", "arguments": {"path": "a"}}]',
        '{"name": "read", "parameters": {"path": "a"}}',
        '{"type": "function", "function": {"name": "read", "arguments": "{\\"path\\": 1}"}}',
        '{"tool_calls": [{"id": "1"}]}',
        'So: {"type": "tool_use", "name": "read", "input": {"path": "a"}}',
        'Use { freely. {"action": "read", "args": {"path": "a"}}',
        '{"thought": "t", "action": "read", "args": {}}',
        '{"name": "read"}',
        '{"tool": "read", "path": "a"}',
        'I will {"name": "read", "arguments": {"path": "a',
        'I will {"name": "read", "argum',
        '{"name": "read", "argum',
        '```python\n{"name": "read", "arguments": {}}\n```',
        '[TOOL_CALLS][{"name": "read", "arguments": {}}]',
        "Sure.\n<function=read>\n<parameter=path>a</parameter>\n</function>",
        '<|python_tag|>read.call(path="a")',
        "```tool_call\nread a\n```",
        'First:\n```tool_code\nread("a")\n```',
        '<tool_code>read("a")</tool_code>',
        'I must read.\nAction: read\nAction Input: {"path": "a"}',
        'read(path="a")',
        '[read(path="a"), read(path="b")]',
    ],
)
def test_native_calls_without_tags_are_malformed(text: str) -> None:
    (problem,) = get_protocol("native").parse(text).problems
    assert problem.kind is ViolationClass.MALFORMED_CALL
    assert "<tool_call>" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        'The record is {"name": "Bob", "age": 3}.',
        '{"name": "Bob", "age": 3}',
        '```json\n{"name": "Bob", "age": 3}\n```',
        '{"user": {"name": "Bob"}, "arguments": {"for": 1, "against": 2}}',
        'The container is {"name": "web", "image": "x", "args": ["--port", "80"]}.',
        "Listing:\n```python\ncall = {'name': 'f', 'arguments': {'x': 1}}\n```\nThat is all.",
        '```js\nsend({"tool": "f", "args": {a: 1}});\n```',
        'It runs json={"name": "f", "args": {"a": 1}} there.',
        'The tool is {"name": "f", "description": "d", "parameters": {"type": "object"}}.',
        'It is {"name": "f", "parameters": {"type": "object", "properties": {}}}.',
        'The action was: deleted. The "action": none.',
        "Action: none needed.\nThe input was fine.",
        "I took an action (delete) with arguments {a, b}.",
        "`<function=f>` and `[TOOL_CALLS]` are other dialects.",
        "def f(x):\n    return {x: 1}",
        'print("hello")',
        "f(x) = 3 and [1, 2]",
        '[{"id": 1, "title": "a"}]',
        "{}",
        "[See the notes](a.md), the function is fine.",
    ],
)
def test_native_conclusions_may_hold_json_and_code(text: str) -> None:
    reply = get_protocol("native").parse(text)
    assert reply.problems == ()
    assert reply.conclusion == text


def test_react_json_null_and_empty_say_not_given() -> None:
    parse = get_protocol("react_json").parse
    for nothing in ("null", '""'):
        assert parse(f'{{"action": {nothing}, "conclusion": "x"}}').conclusion == "x"
        assert parse(f'{{"action": "f", "conclusion": {nothing}}}').calls == (Call("f"),)
        assert is_malformed(parse(f'{{"action": {nothing}, "conclusion": {nothing}}}'))
        assert is_malformed(parse(f'{{"conclusion": {nothing}}}'))
    assert parse('{"thought": {"a": 1}, "action": "f"}').thought == '{"a": 1}'
    assert parse('{"thought": null, "action": "f"}').thought == ""


def test_react_json_lists_are_several_calls_where_they_can_be_read() -> None:
    parse = get_protocol("react_json").parse
    reply = parse('{"action": ["f", "g"], "args": [{"x": 1}, {}]}')
    assert reply.calls == (Call("f", {"x": 1}), Call("g"))
    assert [p.kind for p in reply.problems] == [ViolationClass.MULTIPLE_CALLS]
    assert is_malformed(parse('{"action": ["f", "g"], "args": {}}'))
    assert is_malformed(parse('{"action": ["f"], "args": [{}]}'))


def test_calls_read_elsewhere_make_a_reply() -> None:
    assert reply_from_calls([Call("f")]).problems == ()
    (problem,) = reply_from_calls([Call("f"), Call("g")]).problems
    assert problem.kind is ViolationClass.MULTIPLE_CALLS


def test_conclusions_and_several_calls_are_written() -> None:
    native, react = get_protocol("native"), get_protocol("react_json")
    assert native.write(conclusion_message("Done.")) == "Done."
    assert react.parse(react.write(conclusion_message("Done."))).conclusion == "Done."
    two = calls_message([Call("f"), Call("g")])
    assert [c.name for c in native.parse(native.write(two)).calls] == ["f", "g"]
