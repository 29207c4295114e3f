"""What is compared on: conversations of worlds that no training has, with their learned tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.render import ChatTemplate
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.catalog import get_world, world_names
from tooldrill.export import samples as module
from tooldrill.export.samples import (
    LEARNED_POSITIONS,
    OTHER_POSITIONS,
    neutral_samples,
    read_samples,
)
from tooldrill.training.base_model import chat_template, load_tokenizer
from tooldrill.training.examples import IGNORED, Encoder
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings


@pytest.fixture(scope="module")
def texts(tiny: Path) -> tuple[ChatTemplate, Any]:
    settings = ModelSettings(path=str(tiny))
    base = resolve(settings)
    tokenizer = load_tokenizer(base)
    source = chat_template(base, settings, tokenizer)
    return ChatTemplate(source, tokenizer.bos_token, tokenizer.eos_token), tokenizer


def row(turns: int, said: str = "Done.") -> dict[str, Any]:
    messages = [{"role": "system", "content": "Be brief. " * 60}]
    for number in range(turns):
        messages += [
            {"role": "user", "content": f"Say {number}."},
            {"role": "assistant", "content": said},
        ]
    return {"messages": messages, "tools": [], "trace_id": "t"}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return path


def test_conversations_are_drawn_from_held_out_worlds_alone(
    texts: tuple[ChatTemplate, Any],
) -> None:
    drawn = module._drawn_rows()
    assert {one["world"] for one in drawn} <= set(world_names(Split.HELDOUT))
    assert drawn == module._drawn_rows()
    known = {tool.name for world in world_names(Split.TRAIN) for tool in get_world(world).registry}
    offered = {tool["function"]["name"] for one in drawn for tool in one["tools"]}
    assert not offered & known
    read = read_samples(None, *texts)
    assert read.origin == "held-out worlds"
    assert read.facts.texts == 3
    assert read.facts.learned > 60
    assert all("<tool_call>" in text for text in read.texts)
    assert read.template == texts[0].source


def test_learned_positions_are_those_that_training_learns(
    texts: tuple[ChatTemplate, Any], tmp_path: Path
) -> None:
    template, tokenizer = texts
    (sample,) = read_samples(write(tmp_path / "s.jsonl", [row(1)]), template, tokenizer).items
    protocol = template.protocol("native")
    wanted = Encoder(tokenizer, template, 10**6).example(row(1), protocol).sequences[0]
    learned = [t for t in wanted.labels if t != IGNORED]
    assert [t for t in sample.learned if t != IGNORED] == learned
    assert tokenizer.decode(learned) == "Done.<|im_end|>"
    for position, token in zip(sample.positions, sample.learned, strict=True):
        assert wanted.labels[position + 1] == token
    assert sample.tokens == wanted.input_ids[: len(sample.tokens)]
    # The prompt is longer than the limit, and still its first reply is reached.
    assert len(sample.tokens) > module.MAX_TOKENS
    assert sample.text == template.render(
        row(1)["messages"], [], protocol, add_generation_prompt=False
    )


def test_a_long_conversation_is_cut_and_its_positions_are_few(
    texts: tuple[ChatTemplate, Any], tmp_path: Path
) -> None:
    long = row(1, "word " * 500)
    (sample,) = read_samples(write(tmp_path / "s.jsonl", [long]), *texts).items
    learned = sum(token != IGNORED for token in sample.learned)
    assert learned == LEARNED_POSITIONS
    assert len(sample.positions) - learned == OTHER_POSITIONS
    assert sample.positions == sorted(set(sample.positions))
    assert sample.positions[-1] < len(sample.tokens)


def test_the_shortest_of_the_rows_are_taken(
    texts: tuple[ChatTemplate, Any], tmp_path: Path
) -> None:
    path = write(tmp_path / "s.jsonl", [row(turns) for turns in (5, 1, 4, 2, 3)])
    read = read_samples(path, *texts)
    assert [text.count("Say") for text in read.texts] == [1, 2, 3]
    assert read.origin == "file"


def test_a_row_of_which_nothing_is_learned_is_read_all_the_same(
    texts: tuple[ChatTemplate, Any], tmp_path: Path
) -> None:
    asked = {"messages": [{"role": "user", "content": "Hello there."}], "tools": None}
    (sample,) = read_samples(write(tmp_path / "s.jsonl", [asked]), *texts).items
    assert "Hello there." in sample.text
    assert set(sample.learned) == {IGNORED}


def test_of_neutral_text_every_token_counts(texts: tuple[ChatTemplate, Any]) -> None:
    read = neutral_samples(texts[1], ["a b c d"])
    (sample,) = read.items
    assert sample.learned == texts[1].encode("a b c d")[1:]
    assert sample.positions == list(range(len(sample.tokens)))
    assert (read.origin, read.template) == ("neutral", None)
    with pytest.raises(TooldrillError, match="no text to verify with"):
        neutral_samples(texts[1], ["", "a"])
