"""Mending: what is made of a malformed reply, what is left alone, and how long it takes."""

from __future__ import annotations

import json
import time

import pytest

from tooldrill.agent.call import Call
from tooldrill.agent.protocols.catalog import PROTOCOLS, get_protocol
from tooldrill.agent.protocols.mending import mend_objects

WHOLE = '{"name": "put", "arguments": {"key": "a"}}'
PUT = Call("put", {"key": "a"})


@pytest.mark.parametrize(
    ("text", "call"),
    [
        (f"<tool_call>{WHOLE}", PUT),
        (f"{WHOLE}</tool_call>", PUT),
        (f"I keep it. {WHOLE}\n</tool_call>", PUT),
        (f"```json\n{WHOLE}\n```", PUT),
        (f"<tool_call>\n```json\n{WHOLE}\n```\n</tool_call>", PUT),
        (f"<tool_call>I call {WHOLE} now</tool_call>", PUT),
        (f"<tool_call>{WHOLE}</tool_call>\nDone.", PUT),
        (f"<tool_call><tool_call>{WHOLE}</tool_call></tool_call>", PUT),
        ('<tool_call>{"name": "put", "arguments": {"key": "a",},}</tool_call>', PUT),
        ("<tool_call>{'name': 'put', 'arguments': {'key': 'a'}}</tool_call>", PUT),
        ('<tool_call>{"name": "put", "arguments": {"key": "a', PUT),
        ('<tool_call>{"name": "put", "arguments": {"key": "a"</tool_call>', PUT),
        (f"<think>hm</think>\n```json\n{WHOLE}\n```", PUT),
        (
            '<tool_call>{"name": "put", "arguments": {"a": True, "b": None}}</tool_call>',
            Call("put", {"a": True, "b": None}),
        ),
        ('<tool_call>{"name": "put",}</tool_call>', Call("put")),
        (
            '<tool_call>{"name": "put", "arguments": {"key": "a\nb"}}</tool_call>',
            Call("put", {"key": "a\nb"}),
        ),
    ],
)
def test_native_syntax_is_mended(text: str, call: Call) -> None:
    native = get_protocol("native")
    reply = native.repair(text)
    assert reply is not None
    assert reply.calls == (call,)
    assert reply.repaired and reply.problems == native.parse(text).problems
    assert [str(p.kind) for p in reply.problems] == ["malformed_call"]


@pytest.mark.parametrize(
    ("text", "thought"),
    [
        (f"I keep it.\n<tool_call>{WHOLE}", "I keep it."),
        (f"I keep it.\n```json\n{WHOLE}\n```", "I keep it."),
        (f"<think>hm</think>So:\n{WHOLE}", "<think>hm</think>So:"),
    ],
)
def test_the_text_before_a_mended_call_is_its_thought(text: str, thought: str) -> None:
    reply = get_protocol("native").repair(text)
    assert reply is not None and reply.thought == thought


@pytest.mark.parametrize(
    "text",
    [
        "Done.",  # not malformed
        f"<tool_call>{WHOLE}</tool_call>",
        "",
        "<tool_call></tool_call>",
        "<tool_call>{}</tool_call>",
        '<tool_call>{"name": "",}</tool_call>',
        '<tool_call>{"arguments": {"key": "a",}}</tool_call>',
        '<tool_call>{"name": "put", "key": "a",}</tool_call>',  # no key is moved
        '<tool_call>{"tool": "put", "args": {"key": "a",}}</tool_call>',  # nor renamed
        '<tool_call>{"name": "put", "arguments": "{}"}</tool_call>',
        '<tool_call>{"name": "put", "arguments": {"key"',
        '<tool_call>{"name": "put", "arg',
        '<tool_call>{"name": "put", "arguments": {"key": "a", "key": "b"}}</tool_call>',
        '<tool_call>{"name": "put", "arguments": {"key": 1e999}}</tool_call>',
        '<tool_call>{"name": "put", "arguments": {"key": NaN,}}</tool_call>',
        '<tool_call>I will call put with key "a".</tool_call>',
        '<tool_call>put(key="a")</tool_call>',
        "<function=put><parameter=key>a</parameter></function>",
        f"<think>I could <tool_call>{WHOLE}</tool_call>",  # the thinking never ended
        f"<tool_call>{WHOLE}</tool_call><tool_call>put</tool_call>",
        '<tool_call>{"name": "put", "arguments": {"key": ' + "[" * 5000,
    ],
)
def test_native_leaves_alone_what_is_no_matter_of_syntax(text: str) -> None:
    assert get_protocol("native").repair(text) is None


def test_two_calls_in_one_pair_of_tags_are_both_mended() -> None:
    text = '<tool_call>{"name": "f", "arguments": {"x": 1}} {"name": "f", "arguments": {"x": 2}}'
    reply = get_protocol("native").repair(text)
    assert reply is not None
    assert reply.calls == (Call("f", {"x": 1}), Call("f", {"x": 2}))
    assert [str(p.kind) for p in reply.problems] == ["malformed_call", "multiple_calls"]


@pytest.mark.parametrize(
    ("text", "calls", "conclusion"),
    [
        ('```json\n{"conclusion": "x"}\n```', (), "x"),
        ("{'thought': 't', 'conclusion': 'x',}", (), "x"),
        ('I think: {"thought": "t", "action": "put", "args": {"key": "a"}} so.', (PUT,), None),
        ('{"thought": "t", "action": "put", "args": {"key": "a"', (PUT,), None),
        ('{"thought": "say "hi"", "action": "put", "args": {"key": "a"}}', (PUT,), None),
        ('{"action": "put", "args": {"key": "a"}}' * 2, (PUT, PUT), None),
    ],
)
def test_react_json_syntax_is_mended(
    text: str, calls: tuple[Call, ...], conclusion: str | None
) -> None:
    reply = get_protocol("react_json").repair(text)
    assert reply is not None and reply.repaired
    assert (reply.calls, reply.conclusion) == (calls, conclusion)
    assert str(reply.problems[0].kind) == "malformed_call"
    assert [str(p.kind) for p in reply.problems[1:]] == ["multiple_calls"] * (len(calls) > 1)


@pytest.mark.parametrize(
    "text",
    [
        '{"conclusion": "x"}',
        "I am done.",
        '{"thought": "t",}',
        '{"action": "put", "conclusion": "x",}',
        '{"action": "put", "args": [1],}',
        '{"action": "put", "args": {}} {"conclusion": "x"}',
        '{"name": "put", "arguments": {}}',
    ],
)
def test_react_json_leaves_alone_what_is_no_matter_of_syntax(text: str) -> None:
    assert get_protocol("react_json").repair(text) is None


def test_sound_objects_are_never_merged_with_their_likes() -> None:
    assert mend_objects('{"a": 1} {"a": 2} {"a": 3,}') == [{"a": 1}, {"a": 2}, {"a": 3}]


@pytest.mark.parametrize("name", list(PROTOCOLS))
@pytest.mark.parametrize(
    "unit",
    ["{", "[{", "(", "\"'", '["a" ', '"",', '{"a":', '{"x": "a" b "c" ', "[", "\\", '{"a":"'],
)
@pytest.mark.parametrize("head", ['{"name": "f", "arguments": {"x": ', '{"x": "', '{"x": ['])
def test_mending_hostile_text_is_bounded(name: str, unit: str, head: str) -> None:
    """Unbounded, json-repair takes minutes to hours on 100 kB of some of these."""
    body = head + unit * (99_000 // len(unit))
    text = f"<tool_call>{body}" if name == "native" else body
    start = time.process_time()
    get_protocol(name).repair(text)
    assert time.process_time() - start < 4


def test_a_long_honest_reply_is_mended_to_the_letter() -> None:
    content = 'a line with a "quoted" word\n\tand a path C:\\new\n' * 500
    sound = f'{{"name": "put", "arguments": {json.dumps({"key": content})}}}'
    reply = get_protocol("native").repair(f"<tool_call>{sound[:-1]},}}</tool_call>")
    assert reply is not None
    assert reply.calls == (Call("put", {"key": content}),)


@pytest.mark.parametrize("held", ["\uf60a", "\\\\uf60a"])
def test_the_stand_ins_of_white_space_never_pass_for_it(held: str) -> None:
    assert mend_objects(f'{{"a": "{held}",}}'.replace("\\\\", "\\")) == []
