"""Reading replies: what is a call, what is a conclusion, what is neither."""

from __future__ import annotations

import pytest
from reply_texts import CALL, in_protocol

from tooldrill.agent.call import Call
from tooldrill.agent.messages import calls_message, conclusion_message
from tooldrill.agent.protocols.base import is_malformed, reply_from_calls
from tooldrill.agent.protocols.catalog import PROTOCOLS, get_protocol
from tooldrill.agent.violation import ViolationClass


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
