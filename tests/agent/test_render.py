"""The bundled chat template: the same signature as Python's, turns that keep their prefix."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
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
from tooldrill.agent.render import ChatTemplate, bundled_template, knows_tools
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


@pytest.mark.parametrize("name", list(PROTOCOLS))
@pytest.mark.parametrize("start", [0, 1])
def test_every_turn_keeps_the_text_before_it(
    name: str, start: int, template: ChatTemplate, registry: Registry
) -> None:
    protocol, tools = get_protocol(name), registry.to_openai()
    messages = CONVERSATION[start:]
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = template.render(messages[:index], tools, protocol, add_generation_prompt=True)
        after = template.render(messages[: index + 1], tools, protocol, add_generation_prompt=False)
        assert after == before + protocol.write(message) + "<|im_end|>\n"


def test_signature_lines_cost_at_most_40_percent_of_json_schema() -> None:
    import json

    from tooldrill.data.worlds.catalog import get_world

    registry = get_world("files").registry
    lines, schema = signatures(registry, SignatureLevel.TYPED), json.dumps(registry.to_openai())
    assert len(lines) <= 0.4 * len(schema)


def test_a_hostile_template_is_contained() -> None:
    with pytest.raises(TooldrillError, match="refuses"):
        ChatTemplate("{{ ''.__class__.__mro__[1].__subclasses__() }}").render(
            [user("x")], [], get_protocol("native"), add_generation_prompt=True
        )
    with pytest.raises(TooldrillError, match="line 2"):
        ChatTemplate("a\n{% if %}")


def test_which_templates_know_tools() -> None:
    assert knows_tools(bundled_template())
    assert not knows_tools("{% for m in messages %}{{ m['content'] }}{% endfor %}")
