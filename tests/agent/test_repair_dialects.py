"""Mending in the dialects that write no JSON object: closing marks come back, no more."""

# ruff: noqa: RUF001 - DeepSeek's marks stand here as they are written

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tooldrill.agent.call import Call
from tooldrill.agent.protocols.dialects.catalog import DIALECTS
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.tool import Registry

REGISTRY = Registry.from_openai(
    [
        {
            "name": "put",
            "parameters": {
                "type": "object",
                "properties": {"key": {"type": "string"}, "count": {"type": "integer"}},
            },
        }
    ]
)
PUT = Call("put", {"key": "a", "count": 3})
QWEN = "<function=put>\n<parameter=key>\na\n</parameter>\n<parameter=count>\n3\n</parameter>"
GLM = (
    "<tool_call>put\n<arg_key>key</arg_key>\n<arg_value>a</arg_value>\n<arg_key>count</arg_key>\n"
    "<arg_value>3"
)
MINIMAX = '<invoke name="put">\n<parameter name="key">a</parameter>\n<parameter name="count">3'
DEEPSEEK = "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>put<｜tool▁sep｜>"
KIMI = "<|tool_call_begin|>functions.put:0<|tool_call_argument_begin|>"
OBJECT = '{"key": "a", "count": 3}'

MENDED = [
    ("tagged", f"<tool_call>\n{QWEN}\n</function>"),
    ("tagged", f"<tool_call>\n{QWEN}\n</tool_call>"),
    ("tagged", f"{QWEN}\n</function>\n</tool_call>"),
    ("tagged", f"```xml\n{QWEN}\n</function>\n```"),
    ("tagged", f"<tool_call>\n{QWEN}\n</function>\n</tool_call>\nI wait."),
    ("tagged", f"<tool_call>\n{QWEN},\n</function>\n</tool_call>"),
    ("tagged", f"<tool_call>\n{QWEN}"),
    ("tagged", "<tool_call>\n" + QWEN.removesuffix("\n</parameter>")),
    ("tagged", "<tool_call>\n" + QWEN.replace("\n</parameter>", "", 1) + "\n</function>"),
    ("glm", f"{GLM}</arg_value>"),
    ("glm", f"{GLM}</arg_value>\n</tool_call> and more"),
    ("glm", GLM),
    ("minimax", f"<minimax:tool_call>\n{MINIMAX}</parameter>\n</invoke>"),
    ("minimax", f"{MINIMAX}</parameter>\n</invoke>\n</minimax:tool_call>"),
    ("minimax", f"<minimax:tool_call>\n{MINIMAX}</parameter>\n</minimax:tool_call>"),
    ("minimax", f"<minimax:tool_call>\n{MINIMAX}"),
    ("pythonic", '<|tool_call_start|>[put(key="a", count=3)]'),
    ("pythonic", '<|tool_call_start|>[put(key="a", count=3,)]<|tool_call_end|>'),
    ("pythonic", '<|tool_call_start|>[put(key="a", count=3<|tool_call_end|>'),
    ("pythonic", '<|tool_call_start|>put(key="a", count=3)<|tool_call_end|>'),
    ("pythonic", '<|tool_call_start|>[put(key="a", count=3)]<|tool_call_end|> I wait.'),
    ("pythonic", '```tool_code\nput(key="a", count=3)\n```'),
    ("pythonic", '<|tool_call_start|>[put(count=3, key="a'),
    ("named_json", '[TOOL_CALLS]put[ARGS]{"key": "a", "count": 3,}'),
    ("named_json", f"[TOOL_CALLS]put[ARGS]{OBJECT} and more"),
    ("named_json", "[TOOL_CALLS]put[ARGS]{'key': 'a', 'count': 3}"),
    ("deepseek", f"{DEEPSEEK}{OBJECT}"),
    ("deepseek", f"{DEEPSEEK}{OBJECT[:-1]}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"),
    ("kimi", f"{KIMI}{OBJECT}<|tool_call_end|>"),
    ("kimi", f"<|tool_calls_section_begin|>{KIMI}{OBJECT}"),
    ("harmony", f" to=functions.put<|channel|>commentary json<|message|>{OBJECT[:-1]}"),
]


@pytest.mark.parametrize(("name", "text"), MENDED)
def test_what_is_meant_without_doubt_is_mended(name: str, text: str) -> None:
    native = Native(DIALECTS[name])
    reply = native.repair(text, REGISTRY)
    assert reply is not None
    assert reply.calls == (PUT,)
    assert reply.repaired and reply.problems == native.parse(text, REGISTRY).problems
    assert [str(p.kind) for p in reply.problems] == ["malformed_call"]


LEFT_ALONE = [
    ("tagged", "Done."),
    ("tagged", f"<tool_call>\n{QWEN}\n</function>\n</tool_call>"),  # sound
    ("tagged", '<tool_call>\n{"name": "put", "arguments": {"key": "a"}}\n</tool_call>'),
    ("tagged", '<tool_call>\n<function=put>\n{"key": "a"}\n</function>\n</tool_call>'),
    ("tagged", "<tool_call>\n<function=put>\n<parameter=ke"),
    ("tagged", "<tool_call>\n<function=put>\n<key>a</key>\n</function>"),
    ("tagged", f"<tool_call>\n{QWEN}\n<parameter=key>\nb\n</parameter>\n</function>"),
    ("tagged", "<tool_call>I will call put with key a.</tool_call>"),
    ("glm", '<tool_call>put\n{"key": "a"}\n</tool_call>'),
    ("glm", "<tool_call>put"),
    ("glm", "<tool_call>put(key='a')</tool_call>"),
    ("minimax", '<minimax:tool_call>\n<invoke name="pu'),
    ("pythonic", '<|tool_call_start|>[put("a", 3)]<|tool_call_end|>'),
    ("pythonic", "<|tool_call_start|>[put(key=a)]<|tool_call_end|>"),
    ("pythonic", "<|tool_call_start|>[put(key=f(1))]<|tool_call_end|>"),
    ("pythonic", '<|tool_call_start|>[put(key="a", co'),
    ("pythonic", "<|tool_call_start|>I will call put.<|tool_call_end|>"),
    ("named_json", "[TOOL_CALLS]put[ARGS]"),
    ("named_json", '[TOOL_CALLS]put{"key": "a"}'),
    ("named_json", "[TOOL_CALLS]put[ARGS][1]"),
    ("kimi", f"<|tool_calls_section_begin|>put{OBJECT}"),
    # Nothing tells a string that was not closed from the rest of its call.
    ("gemma", '<|tool_call>call:put{key:<|"|>a,count:3}<tool_call|>'),
    ("gemma", '<|tool_call>call:put{key:<|"|>a<|"|>,count:3}'),
]


@pytest.mark.parametrize(("name", "text"), LEFT_ALONE)
def test_what_is_no_matter_of_marks_is_left_alone(name: str, text: str) -> None:
    assert Native(DIALECTS[name]).repair(text, REGISTRY) is None


def test_the_text_before_a_mended_call_is_its_thought() -> None:
    for name, text in (
        ("tagged", f"I keep it.\n\n<tool_call>\n{QWEN}"),
        ("glm", f"I keep it.\n{GLM}"),
        ("pythonic", 'I keep it.<|tool_call_start|>[put(key="a", count=3)'),
        ("named_json", f"I keep it.[TOOL_CALLS]put[ARGS]{OBJECT[:-1]}"),
        ("deepseek", f"I keep it.{DEEPSEEK}{OBJECT}"),
    ):
        reply = Native(DIALECTS[name]).repair(text, REGISTRY)
        assert reply is not None and (reply.thought, reply.calls) == ("I keep it.", (PUT,))


def test_two_broken_calls_are_both_mended() -> None:
    twice = f"<tool_call>\n{QWEN}\n</function>\n<tool_call>\n{QWEN}\n</function>"
    reply = Native(DIALECTS["tagged"]).repair(twice, REGISTRY)
    assert reply is not None and reply.calls == (PUT, PUT)
    assert [str(p.kind) for p in reply.problems] == ["malformed_call", "multiple_calls"]


@pytest.mark.parametrize("name", ["tagged", "glm", "minimax", "pythonic", "named_json", "deepseek"])
@settings(max_examples=60)
@given(data=st.data())
def test_a_cut_call_is_mended_to_what_stands_there_or_not_at_all(
    name: str, data: st.DataObject
) -> None:
    """Cutting off a call never makes another one of it: a value may be shorter, no more."""
    key = data.draw(st.text(alphabet="ab \n\"'\\,)]}é", max_size=8))
    dialect = DIALECTS[name]
    text = dialect.write([Call("put", {"key": key, "count": 31})])
    cut = text[: data.draw(st.integers(0, len(text)))]
    reply = Native(dialect).repair(cut, REGISTRY)
    if reply is None:
        return
    (call,) = reply.calls
    assert call.name == "put" and call.arguments.keys() <= {"key", "count"}
    assert key.startswith(call.arguments.get("key", ""))
    assert call.arguments.get("count", 3) in {31, 3, ""}


@pytest.mark.parametrize("name", ["tagged", "glm", "minimax", "pythonic", "named_json", "kimi"])
@pytest.mark.parametrize("unit", ["<parameter=x>", "(", "[", '"', "<arg_key>x</arg_key>", ",", " "])
def test_mending_takes_bounded_time(name: str, unit: str) -> None:
    dialect = DIALECTS[name]
    start = dialect.write([Call("f", {"x": ["a"]})]).split("a")[0]
    before = time.process_time()
    Native(dialect).repair(start + unit * (100_000 // len(unit)))
    assert time.process_time() - before < 4
