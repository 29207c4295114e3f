"""The bundled template that fits a model is found from the model's own turns."""

from __future__ import annotations

import json

import pytest

from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.render import BUNDLED_TEMPLATES, ChatTemplate, bundled_template, knows_tools
from tooldrill.agent.turns import fitting_template, read_turns, reply_end

LOOP = "{%% for m in messages %%}%s{%% endfor %%}{%% if add_generation_prompt %%}%s{%% endif %%}"
CHATML = LOOP % (
    "{% if loop.first and m['role'] != 'system' %}{{ '<|im_start|>system\nHelp.<|im_end|>\n' }}"
    "{% endif %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}",
    "{{ '<|im_start|>assistant\n' }}",
)
REFUSE = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}"
)
GEMMA = REFUSE + (
    LOOP % (
        "{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else 'user') + '\n' }}"
        "{{ m['content'] | trim }}{{ '<end_of_turn>\n' }}",
        "{{ '<start_of_turn>model\n' }}",
    )
)  # fmt: skip
LLAMA3 = LOOP % (
    "{{ (bos_token if loop.first else '') + '<|start_header_id|>' + m['role'] }}"
    "{{ '<|end_header_id|>\n\n' + m['content'] | trim + '<|eot_id|>' }}",
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}",
)
# The two ways in which Phi-3's template has been written: marks on lines, eos at the very end.
PHI = "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] + '<|end|>\n' }}" + (
    "{% endfor %}{{ '<|assistant|>\n' if add_generation_prompt else eos_token }}"
)
OLD_PHI = "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}" + (
    "{{ '<|user|>\n' + m['content'] + '<|end|>\n<|assistant|>\n' }}"
    "{% else %}{{ m['content'] + '<|end|>\n' }}{% endif %}{% endfor %}"
)
ZEPHYR = LOOP % (
    "{{ '<|' + m['role'] + '|>\n' + m['content'] + eos_token + '\n' }}",
    "{{ '<|assistant|>\n' }}",
)
INST = "{{ bos_token }}{% for m in messages %}{{ ('[INST] ' + m['content'] + ' [/INST]') " + (
    "if m['role'] == 'user' else m['content'] + eos_token }}{% endfor %}"
)
CHAT: list[Message] = [
    {"role": "user", "content": "What?"},
    {"role": "assistant", "content": "That."},
    {"role": "user", "content": "Which?"},
    {"role": "assistant", "content": "This."},
]


def no_token(text: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("own", "name"),
    [
        (CHATML, "tooldrill-chatml"),
        (GEMMA, "tooldrill-gemma"),
        (LLAMA3, "tooldrill-llama3"),
        (PHI, "tooldrill-phi"),
        (OLD_PHI, "tooldrill-phi"),
        ("{{ raise_exception('none') }}", "tooldrill-chatml"),
        ("{% broken", "tooldrill-chatml"),
        (None, "tooldrill-chatml"),
    ],
)
def test_a_family_is_known_by_its_turns(own: str | None, name: str) -> None:
    assert fitting_template(own, "<s>", "</s>", no_token) == (name, bundled_template(name))


@pytest.mark.parametrize("own", [ZEPHYR, INST])
def test_turns_of_no_family_are_taken_over_as_they_are(own: str) -> None:
    name, source = fitting_template(own, "<s>", "</s>", no_token)
    assert name == "tooldrill"
    assert source.startswith("{#-") and knows_tools(source)
    for chat, prompt in ((CHAT, False), (CHAT[:1], True), (CHAT[:3], True)):
        texts = [
            ChatTemplate(one, "<s>", "</s>").text(chat, None, add_generation_prompt=prompt)
            for one in (own, source)
        ]
        assert texts[0] == texts[1]


def test_the_system_turn_is_taken_over_where_there_is_one() -> None:
    chat = [{"role": "system", "content": "Be brief."}, *CHAT]
    for own, expected in (
        (ZEPHYR, "<|system|>\nBe brief.</s>\n<|user|>\nWhat?</s>\n"),
        (INST, "<s>[INST] Be brief.\n\nWhat? [/INST]That.</s>"),
    ):
        _, source = fitting_template(own, "<s>", "</s>", no_token)
        template = ChatTemplate(source, "<s>", "</s>")
        assert template.text(chat, [], add_generation_prompt=False).startswith(expected)


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("tooldrill-chatml", ["<|im_start|>", "<|im_end|>"]),
        ("tooldrill-gemma", ["<start_of_turn>", "<end_of_turn>"]),
        ("tooldrill-llama3", ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]),
        ("tooldrill-phi", ["<|user|>", "<|assistant|>", "<|end|>"]),
    ],
)
def test_without_a_template_the_tokens_tell(name: str, marks: list[str]) -> None:
    assert fitting_template(None, "<s>", "</s>", marks.__contains__)[0] == name
    assert fitting_template(None, "<s>", "</s>", marks[1:].__contains__)[0] == "tooldrill-chatml"


@pytest.mark.parametrize(
    ("source", "end"),
    [
        (CHATML, "<|im_end|>"),
        (bundled_template("tooldrill-gemma"), "<end_of_turn>"),
        (LLAMA3, "<|eot_id|>"),
        (PHI, "<|end|>"),
        (ZEPHYR, "</s>"),
        ("{{ raise_exception('none') }}", None),
    ],
)
def test_the_end_of_a_reply_is_found(source: str, end: str | None) -> None:
    assert reply_end(ChatTemplate(source, "<s>", "</s>"), "<s>", "</s>") == end


def test_a_mark_is_never_cut() -> None:
    own = LOOP % ("{{ '<' + m['role'] + '_turn>' + m['content'] + '<' + m['role'] + '_end>' }}",
                  "{{ '<assistant_turn>' }}")  # fmt: skip
    turns = read_turns(ChatTemplate("{{ '<my_turn>' }}" + own), "", "")
    assert turns is not None
    assert turns.user == ("<user_turn>", "<user_end>")
    assert turns.reply == ("<assistant_turn>", "<assistant_end>")


@pytest.mark.parametrize("name", BUNDLED_TEMPLATES)
def test_each_file_says_why_it_exists_and_only_sets_turns(name: str) -> None:
    source = bundled_template(name)
    own, shared = source.split("{#- Each tool as its typed signature line", 1)
    assert own.startswith("{#- ") and len(own) < 1000
    assert own.count("{%- set ") == 5
    assert all(bundled_template(other).endswith(shared) for other in BUNDLED_TEMPLATES)
    assert not {"include", "import", "extends"} & set(source.replace("%", " ").split())


def test_text_of_a_model_cannot_break_out_of_the_template() -> None:
    """Marks come from model files; they are written as literals, whatever they hold."""
    mark = "<'\" -%}{{ 7 * 7 }}{# \\n ☃>"
    written = "{{ " + json.dumps(mark)
    own = LOOP % (
        written + " + m['role'] + '>' + m['content'] + '</' + m['role'] + '>' }}",
        written + " + 'assistant>' }}",
    )
    name, source = fitting_template(own, "", "", no_token)
    assert name == "tooldrill"
    text = ChatTemplate(source).text(CHAT, None, add_generation_prompt=False)
    assert text == ChatTemplate(own).text(CHAT, None, add_generation_prompt=False)
    assert mark in text


def test_a_template_that_refuses_is_one_line() -> None:
    with pytest.raises(TooldrillError, match="refuses"):
        ChatTemplate(GEMMA, "<bos>").text(
            [{"role": "system", "content": "x"}], None, add_generation_prompt=True
        )
