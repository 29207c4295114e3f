"""Real chat templates, where `$LLAMA_CPP_DIR` names a checkout of llama.cpp.

What a template writes for a call is read back, whatever stands in its arguments; and it is known
which templates keep a conversation's beginning when it goes on.
"""

# ruff: noqa: RUF001 - DeepSeek's marks stand here as they are written

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tooldrill.agent.call import Call
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import (
    call_message,
    calls_message,
    conclusion_message,
    observation_message,
    system,
    user,
)
from tooldrill.agent.render import ChatTemplate
from tooldrill.agent.tool import Registry

FOLDER = Path(os.environ.get("LLAMA_CPP_DIR", "/nowhere")) / "models/templates"
EOS = "</s>"


class Real(NamedTuple):
    """What is known of a template.

    Attributes:
        dialect: its name.
        end: what ends a turn that calls; "" where the next turn's beginning does.
        keeps: a turn begins where its prompt ends, and stays as it was when the next one follows.
        shows_tools: without, native calls are refused, and training takes the bundled template.
    """

    dialect: str
    end: str
    keeps: bool = True
    shows_tools: bool = True


REAL = {
    "GLM-4.6": Real("glm", ""),
    "GLM-4.7-Flash": Real("glm", "", keeps=False),
    "deepseek-ai-DeepSeek-V3.1": Real("deepseek", "<｜end▁of▁sentence｜>", shows_tools=False),
    "llama-cpp-deepseek-r1": Real("deepseek_r1", "<｜end▁of▁sentence｜>", keeps=False),
    "openai-gpt-oss-120b": Real("harmony", "<|call|>"),
    "google-gemma-4-31B-it": Real("gemma", "<|tool_response>", keeps=False),
    "moonshotai-Kimi-K2": Real("kimi", "<|im_end|>"),
    "Kimi-K2-Instruct": Real("kimi", "<|im_end|>"),
    "Kimi-K2-Thinking": Real("kimi", "<|im_end|>"),
    "CohereForAI-c4ai-command-r7b-12-2024-tool_use": Real(
        "cohere", "<|END_OF_TURN_TOKEN|>", keeps=False
    ),
    "MiniMax-M2": Real("minimax", "[e~[", keeps=False),
}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "keep",
            "description": "Keeps a note.",
            "parameters": {
                "type": "object",
                "properties": {
                    "text": {"type": "string", "description": "What."},
                    "count": {"type": "integer", "description": "How often."},
                    "ratio": {"type": "number", "description": "How much."},
                    "flag": {"type": "boolean", "description": "Whether."},
                    "tags": {"type": "array", "items": {}, "description": "Which."},
                    "more": {"type": "object", "description": "The rest."},
                },
            },
        },
    },
    {"type": "function", "function": {"name": "wait", "description": "Waits.", "parameters": {
        "type": "object", "properties": {}}}},
]  # fmt: skip
REGISTRY = Registry.from_openai(TOOLS)
AWKWARD = Call(
    "keep",
    {
        "text": 'say "é ☃"\nit\'s \\ <b> & 12', "count": 12, "ratio": 0.5, "flag": False,
        "tags": ["it's", 'a"b', 1, None, True], "more": {"k": {"z": [None, "\t"], "é": ""}},
    },
)  # fmt: skip
NUMBER_AS_TEXT = Call("keep", {"text": "12", "count": 0})
NO_ARGUMENTS = Call("wait")


@cache
def template(name: str) -> ChatTemplate:
    path = FOLDER / f"{name}.jinja"
    if not path.is_file():
        pytest.skip(f"no {path.name} in $LLAMA_CPP_DIR")
    return ChatTemplate(path.read_text("utf-8"), "<s>", EOS)


def turn(name: str, message: Message) -> str:
    """What the template writes for an assistant's turn, without what stands before and after."""
    made, asked = template(name), [user("Please.")]
    dialect = made.form.dialect
    assert dialect is not None
    native = made.protocol("native") if REAL[name].shows_tools else _native(made)
    texts = [
        made.render(chat, TOOLS, native, add_generation_prompt=False)
        for chat in (asked, [*asked, message])
    ]
    shared = next(n for n in range(len(texts[1])) if texts[1][n] != texts[0][n : n + 1])
    said = texts[1][shared:]
    return said.split(REAL[name].end)[0] if REAL[name].end else said


def _native(made: ChatTemplate) -> Any:
    from tooldrill.agent.protocols.native import Native

    assert made.form.dialect is not None
    return Native(made.form.dialect)


@pytest.mark.parametrize("name", list(REAL))
def test_the_dialect_is_known(name: str) -> None:
    form = template(name).form
    assert form.dialect is not None and form.dialect.name == REAL[name].dialect
    assert form.writes_calls and form.shows_tools == REAL[name].shows_tools


@pytest.mark.parametrize("name", list(REAL))
@pytest.mark.parametrize("call", [AWKWARD, NUMBER_AS_TEXT, NO_ARGUMENTS])
def test_a_call_is_read_back(name: str, call: Call) -> None:
    reply = _native(template(name)).parse(turn(name, call_message(call)), REGISTRY)
    assert (reply.calls, reply.problems) == ((call,), ())


@pytest.mark.parametrize("name", list(REAL))
def test_text_before_a_call_does_not_hide_it(name: str) -> None:
    message = call_message(AWKWARD, "I look first.")
    reply = _native(template(name)).parse(turn(name, message), REGISTRY)
    assert (reply.calls, reply.problems) == ((AWKWARD,), ())


@pytest.mark.parametrize("name", list(REAL))
def test_several_calls_are_read_back_where_the_template_can_write_them(name: str) -> None:
    reply = _native(template(name)).parse(
        turn(name, calls_message([AWKWARD, NO_ARGUMENTS, NUMBER_AS_TEXT])), REGISTRY
    )
    expected = (AWKWARD, NO_ARGUMENTS, NUMBER_AS_TEXT)
    assert reply.calls == (expected[:1] if name.startswith("openai") else expected)


# What no dialect without escapes can write is its own mark.
words = st.text(max_size=12).filter(lambda text: not re.search(r"[<>\ud800-\udfff]", text))
values = st.recursive(
    words | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("name", list(REAL))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_call_is_read_back(name: str, data: st.DataObject) -> None:
    given_ = {
        "text": data.draw(words),
        "count": data.draw(st.integers()),
        "flag": data.draw(st.booleans()),
        "tags": data.draw(st.lists(values, max_size=3)),
        "more": data.draw(st.dictionaries(st.sampled_from("abc"), values, max_size=3)),
    }
    call = Call("keep", given_)
    reply = _native(template(name)).parse(turn(name, call_message(call)), REGISTRY)
    assert (reply.calls, reply.problems) == ((call,), ())


CONVERSATION: list[Message] = [
    system("Be brief."),
    user("Please."),
    call_message(AWKWARD),
    observation_message("keep", "ERROR: no"),
    call_message(NUMBER_AS_TEXT),
    observation_message("keep", "ok"),
    conclusion_message("Done."),
]


def keeps(made: ChatTemplate, native: Any) -> bool:
    full = made.render(CONVERSATION, TOOLS, native, add_generation_prompt=False)
    for index in (2, 4, 6):
        before = made.render(CONVERSATION[:index], TOOLS, native, add_generation_prompt=True)
        after = made.render(CONVERSATION[: index + 1], TOOLS, native, add_generation_prompt=False)
        if not (full.startswith(after) and after.startswith(before)):
            return False
    return True


@pytest.mark.parametrize("name", list(REAL))
def test_which_templates_keep_what_stands_before(name: str) -> None:
    assert keeps(template(name), _native(template(name))) == REAL[name].keeps


@pytest.mark.parametrize("name", list(REAL))
def test_a_hint_after_a_result_is_shown(name: str) -> None:
    chat = [*CONVERSATION[:4], user("HINT: think again")]
    text = template(name).render(chat, TOOLS, _native(template(name)), add_generation_prompt=True)
    assert text.count("HINT: think again") == 1
    assert text.index("ERROR: no") < text.index("HINT: think again")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ibm-granite-granite-3.3-2B-Instruct", "writes no calls"),
        ("deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "shows no tools"),
    ],
)
def test_templates_that_know_no_calls_are_said_to(name: str, told: str) -> None:
    form = template(name).form
    assert (form.shows_tools, form.writes_calls) == (told == "writes no calls", False)
