"""The bundled chat templates: the same signature as Python's, turns that keep their prefix."""

from __future__ import annotations

import re
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field
from tool_strategies import tools_and_arguments

from tooldrill.agent.call import Call
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.introspect import registry_from_functions
from tooldrill.agent.messages import (
    call_message,
    conclusion_message,
    malformed_message,
    observation_message,
    system,
    user,
)
from tooldrill.agent.protocols.catalog import PROTOCOLS, get_protocol
from tooldrill.agent.protocols.json_text import dump
from tooldrill.agent.render import (
    BUNDLED_TEMPLATES,
    ChatTemplate,
    bundled_template,
    knows_tools,
    with_own_thinking,
)
from tooldrill.agent.signature import SignatureLevel, signatures
from tooldrill.agent.tool import Registry, Tool


class Color(Enum):
    RED = "red"
    BLUE = "blue"


def everything(
    text: str,
    number: float,
    items: list[int],
    table: dict[str, Any],
    anything,
    color: Color = Color.RED,
    mode: Literal["a", 2] = "a",
    maybe: int | None = None,
    nested: list[list[str]] = [],  # noqa: B006
    quoted: str = 'say "é" <b> & \\',
    amount: Annotated[int, Field(ge=1, le=9)] = 3,
    flag: bool = True,
) -> None:
    """One line for all types.

    More prose that signatures do not show.
    """


def nothing() -> None:
    pass


@pytest.fixture(scope="module")
def registry() -> Registry:
    return registry_from_functions([everything, nothing])


@pytest.fixture(scope="module")
def template() -> ChatTemplate:
    return ChatTemplate(bundled_template())


CONVERSATION = [
    system("Be brief."),
    user("Do it, {{ please }} é ☃"),
    call_message(Call("nothing", {}), "I try.", learn=False),
    observation_message("nothing", "ERROR: no"),
    malformed_message("<tool_call>{broken"),
    user("ERROR: cut off"),
    call_message(Call("everything", {"text": 'a"\n<b>', "n": [1, None, True, 1.5]})),
    observation_message("everything", "ok"),
    conclusion_message("Done: ☃"),
]


def test_the_template_writes_the_typed_signatures(
    template: ChatTemplate, registry: Registry
) -> None:
    text = template.render(
        CONVERSATION, registry.to_openai(), get_protocol("native"), add_generation_prompt=False
    )
    assert "\n" + signatures(registry, SignatureLevel.TYPED) + "\n" in text
    assert '{"text": "a\\"\\n<b>", "n": [1, null, true, 1.5]}' in text


def rendered(template: ChatTemplate, registry: Registry) -> str:
    native = get_protocol("native")
    return template.render([user("")], registry.to_openai(), native, add_generation_prompt=False)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=tools_and_arguments())
def test_any_tool_reads_the_same_in_the_template_and_in_python(
    template: ChatTemplate, made: tuple[Tool, dict[str, Any]]
) -> None:
    registry = Registry([made[0]])
    line = signatures(registry, SignatureLevel.TYPED)
    assert f"Tools:\n{line}\n" in rendered(template, registry)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": True, "b": {"type": "array", "items": True}, "items": {}}},
        {"properties": {"a": {"$ref": "#/$defs/N"}},
         "$defs": {"N": {"items": {"$ref": "#/$defs/N"}}}},
        {"properties": {"a": {"type": ["string", "null"]}, "b": {"properties": {"c": {}}}}},
        {"properties": {"a": {"oneOf": [{"const": "x"}, {"type": "number", "minimum": 0.5}]}}},
        {"properties": {"a": {"type": "object", "additionalProperties": {"type": "integer"}}}},
        {"properties": {"a": {"type": "string", "format": "int32"}}, "required": ["a"]},
        {},
    ],
)  # fmt: skip
def test_schemas_of_others_read_the_same_too(
    template: ChatTemplate, schema: dict[str, Any]
) -> None:
    registry = Registry([Tool("t", "First.\nSecond.", {"type": "object", **schema})])
    line = signatures(registry, SignatureLevel.TYPED)
    assert f"Tools:\n{line}\n" in rendered(template, registry)


# What each family writes after a reply.
ENDS = {
    "tooldrill-chatml": "<|im_end|>\n",
    "tooldrill-gemma": "<end_of_turn>\n",
    "tooldrill-llama3": "<|eot_id|>",
    "tooldrill-phi": "<|end|>",
}


@pytest.mark.parametrize("family", BUNDLED_TEMPLATES)
@pytest.mark.parametrize("name", list(PROTOCOLS))
@pytest.mark.parametrize("start", [0, 1])
def test_every_turn_keeps_the_text_before_it(
    name: str, start: int, family: str, registry: Registry
) -> None:
    template = ChatTemplate(bundled_template(family), "<bos>", "<eos>")
    protocol, tools = get_protocol(name), registry.to_openai()
    messages = CONVERSATION[start:]
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = template.render(messages[:index], tools, protocol, add_generation_prompt=True)
        after = template.render(messages[: index + 1], tools, protocol, add_generation_prompt=False)
        assert after == before + protocol.write(message) + ENDS[family]


@pytest.mark.parametrize(
    ("family", "opening"),
    [
        ("tooldrill-chatml", "<|im_start|>system\nBe brief.\n\nTools:\n"),
        ("tooldrill-gemma", "<bos><start_of_turn>user\nBe brief.\n\nTools:\n"),
        (
            "tooldrill-llama3",
            "<bos><|start_header_id|>system<|end_header_id|>\n\nBe brief.\n\nTools:\n",
        ),
        ("tooldrill-phi", "<|system|>Be brief.\n\nTools:\n"),
    ],
)
def test_how_a_conversation_opens(family: str, opening: str, registry: Registry) -> None:
    template = ChatTemplate(bundled_template(family), "<bos>", "<eos>")
    native, tools = get_protocol("native"), registry.to_openai()
    text = template.render(CONVERSATION, tools, native, add_generation_prompt=True)
    assert text.startswith(opening)
    assert text.count("<bos>") == opening.count("<bos>")
    assert "<eos>" not in text


def test_without_a_system_turn_the_tools_stand_in_the_first_users(registry: Registry) -> None:
    template = ChatTemplate(bundled_template("tooldrill-gemma"), "<bos>")
    native, tools = get_protocol("native"), registry.to_openai()
    listing = signatures(registry, SignatureLevel.TYPED)

    def text(*messages: dict[str, Any], shown: list[dict[str, Any]] = tools) -> str:
        return template.render(messages, shown, native, add_generation_prompt=False)

    asked = text(user("Go"))
    assert asked.startswith(f"<bos><start_of_turn>user\nTools:\n{listing}\n")
    assert asked.endswith("\n\nGo<end_of_turn>\n")
    assert asked.count("<start_of_turn>") == 1
    greeted = text(system("Be brief."), conclusion_message("Hello"), user("Go"))
    assert greeted.count("Be brief.") == greeted.count(listing) == 1
    assert greeted.endswith("<start_of_turn>user\nGo<end_of_turn>\n")
    assert text(user("Go"), shown=[]) == "<bos><start_of_turn>user\nGo<end_of_turn>\n"
    assert text(system("A"), user("Go"), system("B"), shown=[]).endswith(
        "user\nA\n\nGo<end_of_turn>\n<start_of_turn>user\nB<end_of_turn>\n"
    )


def test_a_result_of_a_tool_is_told_from_a_user() -> None:
    native = get_protocol("native")
    for family in BUNDLED_TEMPLATES:
        template = ChatTemplate(bundled_template(family))
        texts = [
            template.render([user("Go"), message], [], native, add_generation_prompt=False)
            for message in (observation_message("nothing", "Go"), user("Go"))
        ]
        assert texts[0] != texts[1], family
        assert all(text.count("Go") == 2 for text in texts)


@pytest.mark.parametrize("family", BUNDLED_TEMPLATES)
def test_a_thought_that_comes_back_with_its_line_break_reads_as_it_was_written(
    family: str, registry: Registry
) -> None:
    template = ChatTemplate(bundled_template(family))
    protocol = get_protocol("native")

    def text(thought: str) -> str:
        messages = [user("go"), call_message(Call("nothing", {}), thought)]
        tools = registry.to_openai()
        return template.render(messages, tools, protocol, add_generation_prompt=False)

    assert "I look.\n<tool_call>" in text("I look.")
    assert text("I look.\n") == text("I look.")


@pytest.mark.parametrize("family", BUNDLED_TEMPLATES)
def test_tools_cost_at_most_40_percent_of_their_json_schema(family: str) -> None:
    import json

    from tooldrill.data.worlds.catalog import get_world

    template, native = ChatTemplate(bundled_template(family)), get_protocol("native")
    tools = get_world("files").registry.to_openai()
    chat = [system("Be brief."), user("Go")]
    shown, bare = (
        template.render(chat, given, native, add_generation_prompt=True) for given in (tools, [])
    )
    assert len(shown) - len(bare) <= 0.4 * len(json.dumps(tools))


def test_a_hostile_template_is_contained() -> None:
    with pytest.raises(TooldrillError, match="refuses"):
        ChatTemplate("{{ ''.__class__.__mro__[1].__subclasses__() }}").render(
            [user("x")], [], get_protocol("native"), add_generation_prompt=True
        )
    with pytest.raises(TooldrillError, match="line 2"):
        ChatTemplate("a\n{% if %}")


@pytest.mark.parametrize(
    "source",
    ["{{ 1 / 0 }}", "{% for i in range(10**9) %}x{% endfor %}", "{{ 'a' * 10**15 }}",
     "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{{ [][1].x }}",
     "{{ raise_exception('a\nb') }}",
     "{% include '/etc/passwd' %}", "{{ cycler.__init__.__globals__ }}", "{{" * 3000,
     "{% for a in b %}" * 400 + "{% endfor %}" * 400],
)  # fmt: skip
def test_whatever_a_template_does_is_one_line(source: str) -> None:
    with pytest.raises(TooldrillError) as caught:
        ChatTemplate(source).text([user("x")], None, add_generation_prompt=True)
    assert "\n" not in caught.value.message


def test_which_templates_know_tools() -> None:
    assert knows_tools(bundled_template())
    assert not knows_tools("{% for m in messages %}{{ m['content'] }}{% endfor %}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=JSON)
def test_the_template_writes_any_json_as_python_does(template: ChatTemplate, value: Any) -> None:
    call = Call("nothing", {"items": value, "get": [value]})
    chat = [user("go"), call_message(call)]
    text = template.render(chat, [], get_protocol("native"), add_generation_prompt=False)
    assert f'"arguments": {dump(call.arguments)}}}</tool_call>' in text


def test_dates_are_those_that_llama_server_gives() -> None:
    shown = "{{ date_string }}, {{ datetime }}, {{ strftime_now('%d %b %Y') }}"
    text = ChatTemplate(shown).text([user("go")], None, add_generation_prompt=True)
    day = text.split(", ")[0]
    assert re.fullmatch(r"\d\d [A-Z][a-z]{2} 20\d\d", day)
    month_first = f"{day[3:6]} {day[:2]} {day[7:]}"
    assert text == f"{day}, {month_first}, {day}"


THINKS = "{% if enable_thinking is not defined or enable_thinking %}<think>{% endif %}"
THINKS_WHEN_ASKED = "{% if enable_thinking %}<think>{% endif %}"


def test_a_template_that_does_not_think_by_itself_says_so_to_the_server() -> None:
    said = "{% for m in messages %}{{ m.content }}{% endfor %}"
    for source in (said, said + THINKS, "{{ raise_exception('no') }}", bundled_template()):
        assert with_own_thinking(source) == source
    pinned = ChatTemplate(with_own_thinking(said + THINKS_WHEN_ASKED))
    prompts = [pinned.prompt_when(v) for v in ({}, {"enable_thinking": True})]
    assert prompts == [ChatTemplate(said + THINKS_WHEN_ASKED).prompt_when({})] * 2 == ["?"] * 2
    assert with_own_thinking(pinned.source) == pinned.source
