"""Replies under way are computed together, whichever slots their neighbours have left."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tiny_engine import open_engine, replies, save_gguf, turn
from tiny_families import GRANITE4, LINEAR, MAMBA

from tooldrill.agent.engines.sequences import Part, Sequences

MIXED = ["mamba", "attention", "mamba", "mamba", "attention"]
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "convolution": (
        "lfm2",
        {"layer_types": ["conv", "full_attention", "conv", "conv", "full_attention"]},
    ),
    "mamba": ("granitemoehybrid", {**GRANITE4, **MAMBA, "layer_types": MIXED}),
    "delta": ("qwen3_5_text", {**LINEAR, "head_dim": 32, "num_hidden_layers": 4}),
}
# The first and the middle ones end early: what is left lies in slots with gaps between them.
LENGTHS = (2, 14, 3, 18, 4, 22)


def words(count: int, seed: int) -> str:
    rng = random.Random(seed)
    return " ".join(
        rng.choice(("read", "write", "file", "path", "line", "tool")) for _ in range(count)
    )


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The sequences of every batch that llama.cpp is given, in their order."""
    batches: list[list[int]] = []
    decode = Sequences.decode

    def listening(self: Sequences, parts: Sequence[Part]) -> Any:
        batches.append([part.sequence for part in parts])
        return decode(self, parts)

    monkeypatch.setattr(Sequences, "decode", listening)
    return batches


@pytest.mark.parametrize("kind", list(KINDS))
def test_replies_that_are_left_move_together(
    kind: str, tmp_path: Path, decoded: list[list[int]]
) -> None:
    name, own = KINDS[kind]
    path = save_gguf(tmp_path / "m.gguf", name, **own)
    prompts = [words(40, n) for n in range(len(LENGTHS))]
    turns = [turn(str(n), prompts[n], tokens) for n, tokens in enumerate(LENGTHS)]
    engine = open_engine(path, len(LENGTHS))
    given = replies(engine, turns)
    # llama.cpp takes sequences apart whose numbers do not follow each other.
    for numbers in decoded:
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert {1, 2, 3} <= {len(numbers) for numbers in decoded[-30:]}
    # What was moved, and what was moved onto, serves later episodes.
    later = [replies(engine, order) for order in (turns, turns[::-1])]
    engine.close()
    alone = open_engine(path, 1)
    expected = {key: one.text for key, one in replies(alone, turns).items()}
    alone.close()
    for run in (given, *later):
        assert {key: one.text for key, one in run.items()} == expected
    assert all(one.cached_tokens > 0 for run in later for one in run.values())


def test_an_episode_that_waits_for_its_tool_keeps_its_place(tmp_path: Path) -> None:
    path = save_gguf(tmp_path / "m.gguf")
    engine = open_engine(path, 3)
    first = turn("waits", "read the file and tell ", 6)
    engine.submit(first)
    ((_, said),) = engine.collect()
    others = [turn("left", "write the line ", 4), turn("goes on", "list the folder ", 20)]
    for one in others:
        engine.submit(one)
    done = dict(engine.collect())
    engine.release("left")
    while "goes on" not in done:
        done.update(engine.collect())
    longer = turn("waits", "read the file and tell " + said.text + " once more, and again", 12)
    engine.submit(longer)
    ((_, again),) = engine.collect()
    engine.close()
    assert again.cached_tokens >= said.prompt_tokens
    fresh = open_engine(path, 1)
    assert again.text == replies(fresh, [longer])["waits"].text
    assert done["goes on"].text == replies(fresh, [others[1]])["goes on"].text
    fresh.close()
