"""A model gets the template with its own turns, and those turns are the same tokens everywhere."""

from __future__ import annotations

import pytest
from family_tokenizers import FAMILIES, tokenizer_of
from tiny_llama import make_tokenizer

from tooldrill.agent.call import Call
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.introspect import registry_from_functions
from tooldrill.agent.messages import (
    call_message,
    conclusion_message,
    observation_message,
    system,
    user,
)
from tooldrill.agent.protocols.catalog import PROTOCOLS, get_protocol
from tooldrill.agent.render import BUNDLED_TEMPLATES, ChatTemplate, bundled_template
from tooldrill.training.base_model import chat_template
from tooldrill.training.examples import IGNORED, Encoder
from tooldrill.training.find_base import BaseModel
from tooldrill.training.settings import ModelSettings

BASE = BaseModel("little", "little")
CONVERSATION = [
    system("Be brief."),
    user("Do it ☃"),
    call_message(Call("look", {}), "I try.", learn=False),
    observation_message("look", "ERROR: no"),
    call_message(Call("look", {"path": 'a"\nb'})),
    observation_message("look", "ok"),
    conclusion_message("Done."),
]


def look(path: str) -> None:
    """Look at it."""


def test_every_family_is_tried_here() -> None:
    assert tuple(FAMILIES) == BUNDLED_TEMPLATES


@pytest.mark.parametrize("name", [None, "tooldrill"])
@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "tooldrill-chatml"])
def test_a_model_without_tools_gets_its_own_turns(family: str, name: str | None) -> None:
    tokenizer = tokenizer_of(family)
    # Its own template: the same turns, but it looks at nothing that is called tools.
    tokenizer.chat_template = bundled_template(family).replace("tool", "thing")
    found = chat_template(BASE, ModelSettings(chat_template=name), tokenizer)
    assert found == bundled_template(family)


def test_a_named_family_is_taken_whatever_the_model_has() -> None:
    tokenizer = tokenizer_of("tooldrill-gemma")
    tokenizer.chat_template = "{{ tools }}{{ messages[0].tool_calls }}"
    for family in BUNDLED_TEMPLATES:
        settings = ModelSettings(chat_template=family)
        assert chat_template(BASE, settings, tokenizer) == bundled_template(family)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_turns_keep_their_tokens_and_end_in_a_learned_stop(family: str, protocol: str) -> None:
    tokenizer, written = tokenizer_of(family), get_protocol(protocol)
    tools = registry_from_functions([look]).to_openai()
    template = ChatTemplate(bundled_template(family), "<bos>", "<eos>")
    row = {"messages": CONVERSATION, "tools": tools, "trace_id": "t"}
    (trained,) = Encoder(tokenizer, template, 4096).example(row, written).sequences

    def prompt_tokens(text: str) -> list[int]:
        """As the loop does: the whole text at once, <bos> before it where it is missing."""
        tokens: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        opening = [tokenizer.bos_token_id] if FAMILIES[family][1] else []
        return tokens if tokens[: len(opening)] == opening else [*opening, *tokens]

    for index, message in enumerate(CONVERSATION):
        if message["role"] != "assistant":
            continue
        text = template.render(CONVERSATION[:index], tools, written, add_generation_prompt=True)
        prompt = prompt_tokens(text)
        assert trained.input_ids[: len(prompt)] == prompt
        length = len(prompt_tokens(text + written.write(message)))
        learned = message.get("weight", 1) > 0
        mark = FAMILIES[family][0][-1]
        assert tokenizer.decode(trained.input_ids[length : length + 1]) == mark
        assert (trained.labels[length] != IGNORED) == learned
        assert (trained.labels[len(prompt)] != IGNORED) == learned
    expected = 1 if FAMILIES[family][1] else 0
    assert trained.input_ids.count(tokenizer.bos_token_id) == expected
    assert trained.input_ids[:1].count(tokenizer.bos_token_id) == expected


def test_turns_that_change_when_read_again_are_refused() -> None:
    """No token ends these turns, so a reply and what follows would melt into other tokens."""
    tokenizer = make_tokenizer()
    tokenizer.chat_template = (
        "{% for m in messages %}{{ ' T' if m['role'] == 'assistant' else 'Q ' }}{{ m['content'] }}"
        "{{ '.' }}{% endfor %}{{ ' T' if add_generation_prompt }}"
    )
    tokenizer.add_tokens(["Two"])
    tokenizer.add_tokens(["TTwo"])
    with pytest.raises(TooldrillError, match="do not begin and end with tokens") as raised:
        chat_template(BASE, ModelSettings(), tokenizer)
    assert "model.chat_template" in raised.value.next_step
