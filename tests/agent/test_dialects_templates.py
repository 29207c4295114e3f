"""The dialect is found in the template, and what the template then renders reads back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from dialect_templates import END, WRITTEN, template_with

from tooldrill.agent.call import Call
from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import (
    call_message,
    calls_message,
    conclusion_message,
    malformed_message,
    observation_message,
    system,
    user,
)
from tooldrill.agent.protocols.dialects.hermes import Hermes
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.render import BUNDLED_TEMPLATES, ChatTemplate, bundled_template, knows_tools
from tooldrill.agent.tool import Registry

SCHEMA = {
    "type": "object",
    "properties": {
        "text": {"type": "string"}, "count": {"type": "integer"}, "ratio": {"type": "number"},
        "flag": {"type": "boolean"}, "tags": {"type": "array"}, "more": {"type": "object"},
        "maybe": {"type": ["string", "null"]},
    },
}  # fmt: skip
REGISTRY = Registry.from_openai([{"name": "keep", "description": "Keep.", "parameters": SCHEMA}])
TOOLS = REGISTRY.to_openai()
AWKWARD = Call(
    "keep",
    {
        "text": 'say "é ☃"\nit\'s \\ <b> & 12', "count": 12, "ratio": 0.5, "flag": False,
        "tags": ["it's", 'a"b', 1, None, True], "more": {"k": {"z": [None, "\t"]}}, "maybe": None,
    },
)  # fmt: skip
PLAIN = Call("keep", {"text": "12", "count": 0})
CONVERSATION: list[Message] = [
    system("Be brief."),
    user("Please."),
    call_message(AWKWARD),
    observation_message("keep", "ERROR: no"),
    malformed_message("<tool_call>{broken"),
    user("ERROR: cut off"),
    call_message(PLAIN, "I look first."),
    observation_message("keep", "ok"),
    conclusion_message("Done."),
]


def written(template: ChatTemplate, index: int, messages: list[Message] = CONVERSATION) -> str:
    """What the template writes for the assistant's turn at `index`."""
    native = template.protocol("native")
    before = template.render(messages[:index], TOOLS, native, add_generation_prompt=True)
    after = template.render(messages[: index + 1], TOOLS, native, add_generation_prompt=False)
    assert after.startswith(before)
    assert after.endswith(END + "\n")
    return after[len(before) :].removesuffix(END + "\n")


@pytest.mark.parametrize("name", list(WRITTEN))
def test_the_dialect_is_the_one_that_writes_the_same_text(name: str) -> None:
    source, dialect = WRITTEN[name]
    assert ChatTemplate(source).dialect == dialect
    assert knows_tools(source)


@pytest.mark.parametrize("name", BUNDLED_TEMPLATES)
def test_the_bundled_templates_write_hermes(name: str) -> None:
    form = ChatTemplate(bundled_template(name)).form
    assert form.dialect == Hermes()
    assert form.shows_tools and form.writes_calls and form.several
    assert not (form.in_content or form.arguments_as_text)


@pytest.mark.parametrize("name", list(WRITTEN))
def test_what_a_template_writes_is_read_back(name: str) -> None:
    template = ChatTemplate(WRITTEN[name][0])
    native = template.protocol("native")
    for index, call in ((2, AWKWARD), (6, PLAIN)):
        text = written(template, index)
        reply = native.parse(text, REGISTRY)
        assert (reply.calls, reply.problems) == ((call,), ())
        if "json_list" not in name:  # there the id tells which call of the conversation it is
            thought = str(CONVERSATION[index]["content"])
            assert text == native.join(thought, template.dialect.write([call]))
    assert native.parse(written(template, 8)).conclusion == "Done."


@pytest.mark.parametrize("name", list(WRITTEN))
def test_every_turn_keeps_the_text_before_it(name: str) -> None:
    template = ChatTemplate(WRITTEN[name][0])
    native = template.protocol("native")
    full = template.render(CONVERSATION, TOOLS, native, add_generation_prompt=False)
    for index in range(2, len(CONVERSATION) + 1):
        part = template.render(CONVERSATION[:index], TOOLS, native, add_generation_prompt=False)
        assert full.startswith(part)


@pytest.mark.parametrize("name", list(WRITTEN))
def test_several_calls_are_shown_though_the_template_may_refuse_them(name: str) -> None:
    template = ChatTemplate(WRITTEN[name][0])
    messages = [user("Please."), calls_message([AWKWARD, PLAIN])]
    reply = template.protocol("native").parse(written(template, 1, messages), REGISTRY)
    # gpt-oss has no way to write a second one: the first is the one that is carried out.
    assert reply.calls == ((AWKWARD,) if name == "harmony" else (AWKWARD, PLAIN))
    assert template.form.several == (name not in {"bare_json", "harmony"})


def test_a_template_that_escapes_nothing_is_given_the_calls_as_text() -> None:
    template = ChatTemplate(WRITTEN["pythonic unescaped"][0])
    assert template.form.in_content
    assert "it\\'s" in written(template, 2)


def test_ids_are_nine_digits_and_results_carry_their_calls() -> None:
    ids = "{{ m.tool_calls[0].id }}"
    shown = "{{ m.tool_call_id or '' }}" + "{{ m.content }}"
    template = ChatTemplate(template_with(f"{{{{ '<id>' }}}}{ids}", content=shown))
    two = [*CONVERSATION[:4], *CONVERSATION[6:]]
    text = template.render(two, TOOLS, Native(), add_generation_prompt=False)
    assert re.findall(r"<id>(\d+)", text) == ["000000001", "000000002"]
    assert "000000001ERROR: no" in text and "000000002ok" in text


STRICT = (
    "{%- if messages[0].role == 'system' -%}{{ raise_exception('no system') }}{%- endif -%}"
    "{%- set ns = namespace(last='') -%}"
    "{%- for m in messages if m.role != 'tool' and not m.tool_calls -%}"
    "{%- if m.role == ns.last -%}{{ raise_exception('roles must alternate') }}{%- endif -%}"
    "{%- set ns.last = m.role -%}{%- endfor -%}"
)


@pytest.mark.parametrize("name", ["native", "react_json"])
def test_roles_are_joined_for_templates_that_refuse_them(name: str) -> None:
    template = ChatTemplate(STRICT + WRITTEN["hermes"][0])
    hinted = [*CONVERSATION[:4], user("HINT: think again"), *CONVERSATION[4:]]
    protocol = template.protocol(name)
    text = template.render(hinted, TOOLS, protocol, add_generation_prompt=True)
    assert "Be brief." in text and "system" not in text
    assert "ERROR: no\n\nHINT: think again" in text
    before = template.render(hinted[:5], TOOLS, protocol, add_generation_prompt=True)
    assert text.startswith(before)


def refusal(source: str) -> TooldrillError:
    template = ChatTemplate(source)
    assert template.protocol("react_json").name == "react_json"
    with pytest.raises(TooldrillError) as caught:
        template.protocol("native")
    return caught.value


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{% for m in messages %}{{ m.content }}{% endfor %}", "shows no tools"),
        (template_with("", content="{{ m.content }}"), "writes no calls"),
        (template_with("{{ '<call>' + m.tool_calls | tojson }}"), "in no known way"),
        # A JSON object that does not stand alone is no bare object.
        (template_with("{{ '<call>' + m.tool_calls[0].function | tojson }}"), "in no known way"),
        # Opened and never closed.
        (
            template_with("{{ '<tool_call>' + m.tool_calls[0].function | tojson }}"),
            "in no known way",
        ),
    ],
)
def test_other_templates_are_refused_in_one_line(source: str, told: str) -> None:
    error = refusal(source)
    assert told in error.message and "\n" not in error.message
    assert "model.chat_template=tooldrill" in error.next_step


def test_templates_that_know_no_tools() -> None:
    assert not knows_tools("{% for m in messages %}{{ m.content }}{% endfor %}")
    # It has the words, and writes nothing.
    assert not knows_tools(
        "{# tools tool_call #}{% for m in messages %}{{ m.content }}{% endfor %}"
    )
    assert not knows_tools(template_with(""))


def test_generation_blocks_and_json_options_are_as_in_transformers() -> None:
    source = (
        "{%- set x = 1 -%}{%- for m in messages -%}{%- generation -%}{%- set x = 2 -%}"
        "{{ m | tojson(separators=(',', ':'), sort_keys=true) }}{%- endgeneration -%}{{ x }}"
        "{%- endfor -%}"
    )
    from transformers.utils.chat_template_utils import render_jinja_template

    messages: list[dict[str, Any]] = [{"role": "user", "content": "é"}]
    ours = ChatTemplate(source).text(messages, None, add_generation_prompt=False)
    (theirs,), _ = render_jinja_template([messages], chat_template=source)
    assert ours == theirs == '{"content":"é","role":"user"}1'
