"""What is learned with a template of any dialect: the assistant's turns, which read back the same.

With templates of ours, and with real ones where `$LLAMA_CPP_DIR` names a checkout of llama.cpp.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dialect_templates import END, WRITTEN
from tiny_llama import make_tokenizer

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_reply
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import (
    call_message,
    conclusion_message,
    observation_message,
    user,
)
from tooldrill.agent.protocols.base import CallProtocol, calls_of
from tooldrill.agent.protocols.dialects.bare_json import BareJson
from tooldrill.agent.protocols.dialects.base import Dialect
from tooldrill.agent.protocols.dialects.hermes import Hermes
from tooldrill.agent.protocols.dialects.json_list import JsonList
from tooldrill.agent.protocols.dialects.layouts import KIMI
from tooldrill.agent.protocols.dialects.named_json import NamedJson
from tooldrill.agent.protocols.dialects.pythonic import Pythonic
from tooldrill.agent.protocols.dialects.tagged import Tagged
from tooldrill.agent.reading import read_reply
from tooldrill.agent.render import ChatTemplate
from tooldrill.agent.run import past_calls
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.catalog import EPISODE_CLASSES
from tooldrill.data.sets.build import build
from tooldrill.data.sets.reading import read_rows
from tooldrill.data.settings import DataSettings
from tooldrill.training.base_model import chat_template
from tooldrill.training.examples import IGNORED, Encoder, spoken
from tooldrill.training.find_base import BaseModel
from tooldrill.training.settings import ModelSettings

TEMPLATES = Path(os.environ.get("LLAMA_CPP_DIR", "/nowhere")) / "models/templates"
OURS = Hermes()
# A real template, the token that ends its turns, and the dialect that training uses with it: that
# of the bundled template where the model's own shows no tools or writes no calls.
REAL: dict[str, tuple[str, Dialect]] = {
    "Qwen-Qwen3-0.6B": ("<|im_end|>", Hermes("\n")),
    "Qwen-Qwen2.5-7B-Instruct": ("<|im_end|>", Hermes("\n")),
    "Qwen3.5-4B": ("<|im_end|>", Tagged()),
    "Qwen3-Coder": ("<|im_end|>", Tagged()),
    "ibm-granite-granite-4.0": ("<|end_of_text|>", Hermes("\n")),
    "meta-llama-Llama-3.1-8B-Instruct": ("<|eot_id|>", BareJson()),
    "meta-llama-Llama-3.2-3B-Instruct": ("<|eot_id|>", BareJson()),
    "mistralai-Mistral-Nemo-Instruct-2407": ("</s>", JsonList(ids=True)),
    "mistralai-Ministral-3-14B-Reasoning-2512": ("</s>", NamedJson()),
    "Mistral-Small-3.2-24B-Instruct-2506": ("</s>", NamedJson(ids=True)),
    "moonshotai-Kimi-K2": ("<|im_end|>", NamedJson(layout=KIMI)),
    "Kimi-K2-Instruct": ("<|im_end|>", NamedJson(layout=KIMI)),
    "LFM2.5-8B-A1B": ("<|im_end|>", Pythonic("single", objects="json")),
    "LFM2.5-Instruct": ("<|im_end|>", OURS),
    "HuggingFaceTB-SmolLM3-3B": ("<|im_end|>", OURS),
    "microsoft-Phi-3.5-mini-instruct": ("<|end|>", OURS),
    "google-gemma-2-2b-it": ("<end_of_turn>", OURS),
}
UNKNOWN = ["deepseek-ai-DeepSeek-V4", "deepseek-ai-DeepSeek-V3.2"]
# The dialect is known, but training cannot tell what the model writes from what the prompt holds.
UNTRAINABLE = {
    "GLM-4.6": "no stop token",
    "GLM-4.7-Flash": "differently",
    "MiniMax-M2": "differently",
    "llama-cpp-deepseek-r1": "differently",
    "google-gemma-4-31B-it": "differently",
    "CohereForAI-c4ai-command-r7b-12-2024-tool_use": "no stop token",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "set"
    build(DataSettings(worlds=["files", "tickets"], traces=30, pairs=60, tools=(2, 4)), folder)
    return folder


def tokenizer_with(*marks: str) -> Any:
    """A small tokenizer of which these are special tokens; the last one ends a text."""
    tokenizer = make_tokenizer()
    marked = {"additional_special_tokens": list(marks)} if len(marks) > 1 else {}
    tokenizer.add_special_tokens({"eos_token": marks[-1], **marked})
    return tokenizer


def learned_texts(encoder: Encoder, tokenizer: Any, row: Any, protocol: CallProtocol) -> list[str]:
    """The learned stretches of a row, one after the other."""
    texts: list[str] = []
    for sequence in encoder.example(row, protocol).sequences:
        stretch: list[int] = []
        for token, label in zip(sequence.input_ids, sequence.labels, strict=True):
            if label != IGNORED:
                assert label == token
                stretch.append(token)
            elif stretch:
                texts.append(tokenizer.decode(stretch))
                stretch = []
        if stretch:
            texts.append(tokenizer.decode(stretch))
    return texts


def learned_turns(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (m for m in row["messages"] if m["role"] == "assistant" and m.get("weight", 1) != 0)


def check_examples(
    template: ChatTemplate, tokenizer: Any, end: str, data: Path, name: str = "native"
) -> None:
    """Learned is every turn to its end token, and nothing else; each reads back as it was meant."""
    protocol = template.protocol(name)
    encoder = Encoder(tokenizer, template, 8192)
    told, _ = spoken(read_rows(data / "sft.jsonl"), [protocol])
    assert len(told) > 20
    for row, _ in told:
        registry = Registry.from_openai(row["tools"])
        turns = list(learned_turns(row))
        texts = learned_texts(encoder, tokenizer, row, protocol)
        assert len(texts) == len(turns)
        for text, turn in zip(texts, turns, strict=True):
            assert text.endswith(end) and text.count(end) == 1
            reply = read_reply(text.removesuffix(end), protocol, registry)
            assert reply.problems == ()
            assert list(reply.calls) == calls_of(turn)
            if not reply.calls:
                assert reply.conclusion == turn["content"].strip()


def check_pairs(
    template: ChatTemplate, tokenizer: Any, end: str, data: Path, name: str = "native"
) -> set[str]:
    """The right reply has no violation, the wrong one has its own; returns the classes seen."""
    protocol = template.protocol(name)
    encoder = Encoder(tokenizer, template, 8192)
    told, _ = spoken(read_rows(data / "dpo.jsonl"), [protocol])
    for row, _ in told:
        registry = Registry.from_openai(row["tools"])
        past = past_calls(row["prompt"], registry)
        pair = encoder.preference(row, protocol)
        found = []
        for ids in (pair.chosen_ids, pair.rejected_ids):
            text = tokenizer.decode(ids)
            assert text.endswith(end)
            reply = read_reply(text.removesuffix(end), protocol, registry)
            found.append({v.kind for v in check_reply(reply, registry, past)})
        kind = ViolationClass(row["violation"])
        if kind is ViolationClass.MULTIPLE_CALLS and name == "react_json":
            kind = ViolationClass.MALFORMED_CALL
        assert found[0] == set()
        assert (kind in found[1]) != (kind in EPISODE_CLASSES)
    return {row["violation"] for row, _ in told}


FRAMED = {name for name, (_, dialect) in WRITTEN.items() if dialect.frame.answer[0]}


@pytest.mark.parametrize("name", sorted(FRAMED))
def test_marks_around_answers_are_refused(name: str, data: Path) -> None:
    protocol = ChatTemplate(WRITTEN[name][0], "", END).protocol("native")
    with pytest.raises(TooldrillError, match="have marks of their own") as caught:
        spoken(read_rows(data / "sft.jsonl"), [protocol])
    assert "tooldrill" in caught.value.next_step


@pytest.mark.parametrize("name", [name for name in WRITTEN if name not in FRAMED])
def test_turns_are_learned_in_every_dialect(name: str, data: Path) -> None:
    source, dialect = WRITTEN[name]
    tokenizer = tokenizer_with(END)
    template = ChatTemplate(source, "", END)
    assert template.dialect == dialect
    check_examples(template, tokenizer, END, data)
    seen = check_pairs(template, tokenizer, END, data)
    assert {"malformed_call", "multiple_calls", "wrong_type"} <= seen


def test_rows_that_a_dialect_cannot_tell_are_counted(data: Path) -> None:
    rows = read_rows(data / "dpo.jsonl")
    protocols = [ChatTemplate(WRITTEN[name][0]).protocol("native") for name in ("hermes", "tagged")]
    told, (note,) = spoken(rows, protocols)
    left = 2 * len(rows) - len(told)
    assert 0 < left < len(rows) / 4
    assert f"{left} of {2 * len(rows)}" in note
    assert sum(protocol is protocols[0] for _, protocol in told) == len(rows)
    assert spoken(rows, protocols[:1]) == ([(row, protocols[0]) for row in rows], [])


# The system message and the tools stand with the last user's message only, as Mistral has it.
WANDERING = (
    "{%- set ns = namespace(own='') -%}"
    "{%- for m in messages -%}"
    "{%- if m.role == 'system' -%}{%- set ns.own = m.content + '\n\n' -%}"
    "{%- elif m.role == 'user' -%}{{ '[INST]' + (ns.own if loop.last else '') }}"
    "{{ (tools | tojson if tools and loop.last else '') + m.content + '[/INST]' }}"
    "{%- elif m.tool_calls -%}{{ '[TOOL_CALLS]' + m.tool_calls[0].function.name }}"
    "{{ '[ARGS]' + (m.tool_calls[0].function.arguments | tojson) + eos_token }}"
    "{%- elif m.role == 'tool' -%}{{ '[RESULT]' + m.content + '[/RESULT]' }}"
    "{%- else -%}{{ m.content + eos_token }}{%- endif -%}"
    "{%- endfor -%}"
)
# EOS ends the text, not the turn, as Phi has it.
CLOSING = (
    "{%- if tools -%}{{ (tools | tojson) + '<|end|>\n' }}{%- endif -%}"
    "{%- for m in messages -%}{{ '<|' + m.role + '|>\n' + m.content }}"
    "{%- for t in m.tool_calls or [] -%}"
    "{{ '<tool_call>' + (t.function | tojson) + '</tool_call>' }}{%- endfor -%}"
    "{{ '<|end|>\n' }}{%- endfor -%}"
    "{{ '<|assistant|>\n' if add_generation_prompt else eos_token }}"
)


@pytest.mark.parametrize("name", ["native", "react_json"])
def test_a_template_that_moves_its_system_message(data: Path, name: str) -> None:
    template = ChatTemplate(WANDERING, "", "</s>")
    check_examples(template, tokenizer_with("</s>"), "</s>", data, name)
    check_pairs(template, tokenizer_with("</s>"), "</s>", data, name)


@pytest.mark.parametrize("name", ["native", "react_json"])
def test_a_template_that_closes_the_text(data: Path, name: str) -> None:
    template = ChatTemplate(CLOSING, "", "<eos>")
    assert template.closing == "<eos>"
    assert ChatTemplate(WANDERING, "", "</s>").closing == ""
    tokenizer = tokenizer_with("<|end|>", "<eos>")
    check_examples(template, tokenizer, "<|end|>", data, name)
    check_pairs(template, tokenizer, "<|end|>", data, name)


def real(name: str) -> str:
    path = TEMPLATES / f"{name}.jinja"
    if not path.is_file():
        pytest.skip(f"no {path.name} in $LLAMA_CPP_DIR")
    return path.read_text("utf-8")


def real_template(name: str, end: str) -> tuple[ChatTemplate, Any]:
    """The template that training takes for a model whose own is the named one."""
    source = real(name)
    marks = ["<|im_start|>", "<|user|>", "<|assistant|>", "<|system|>", "<start_of_turn>"]
    eos = "<|endoftext|>" if name.startswith("microsoft") else end
    tokenizer = tokenizer_with(*[mark for mark in (*marks, end) if mark != eos], eos)
    tokenizer.bos_token = "<s>"
    tokenizer.chat_template = source
    chosen = chat_template(BaseModel(name, name), ModelSettings(path=name), tokenizer)
    return ChatTemplate(chosen, "<s>", eos), tokenizer


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["native", "react_json"])
@pytest.mark.parametrize("name", list(REAL))
def test_turns_are_learned_with_real_templates(name: str, protocol: str, data: Path) -> None:
    end, dialect = REAL[name]
    template, tokenizer = real_template(name, end)
    assert template.dialect == dialect
    check_examples(template, tokenizer, end, data, protocol)
    check_pairs(template, tokenizer, end, data, protocol)


@pytest.mark.parametrize(("name", "reason"), list(UNTRAINABLE.items()))
def test_real_templates_that_cannot_be_trained_say_so(name: str, reason: str, data: Path) -> None:
    template, tokenizer = real_template(name, "</s>")
    protocol, encoder = template.protocol("native"), Encoder(tokenizer, template, 8192)
    row = read_rows(data / "sft.jsonl")[0]
    with pytest.raises(TooldrillError, match=reason) as caught:
        encoder.example(row, protocol)
    assert "\n" not in caught.value.message and "tooldrill" in caught.value.next_step


def test_words_that_servers_do_not_read_are_learned_as_json() -> None:
    """Qwen's templates write True in earlier turns; what is learned is true, as servers read it."""
    template = ChatTemplate(WRITTEN["tagged"][0], "", END)
    protocol, tokenizer = template.protocol("native"), tokenizer_with(END)
    flag = {"type": "object", "properties": {"on": {"type": ["boolean", "null"]}}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": flag}}]
    on, off = Call("f", {"on": True}), Call("f", {"on": None})
    messages = [
        user("Do it."), call_message(on), observation_message("f", "ok"),
        call_message(off, "So."), observation_message("f", "ok"), conclusion_message("Done."),
    ]  # fmt: skip
    row = {"trace_id": "t", "tools": tools, "messages": messages}
    encoder = Encoder(tokenizer, template, 8192)
    texts = learned_texts(encoder, tokenizer, row, protocol)
    assert [re.findall(r">\n(\w+)\n<", text) for text in texts] == [["true"], ["null"], []]
    sequences = encoder.example(row, protocol).sequences
    context = [
        tokenizer.decode([t for t, label in zip(s.input_ids, s.labels, strict=True) if label < 0])
        for s in sequences
    ]
    assert [re.findall(r">\n(\w+)\n<", text) for text in context] == [
        [], ["True"], ["True", "None"],
    ]  # fmt: skip
    pair = {**row, "prompt": messages[:1], "chosen": messages[1:2], "violation": "wrong_type",
            "rejected": [call_message(Call("f", {"on": "yes"}))]}  # fmt: skip
    assert "\ntrue\n" in tokenizer.decode(encoder.preference(pair, protocol).chosen_ids)


@pytest.mark.parametrize("name", UNKNOWN)
def test_real_templates_of_other_dialects_are_refused(name: str) -> None:
    template = ChatTemplate(real(name), "<s>", "</s>")
    form = template.form
    assert form.dialect is None and form.shows_tools and form.writes_calls
