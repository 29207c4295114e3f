"""Tokens are drawn from the distribution that llama-server's settings describe."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tiny_engine import open_engine, replies, save_gguf, turn

from tooldrill.agent.engines.reply_text import ReplyText
from tooldrill.agent.engines.sampling import Sampler
from tooldrill.agent.hashing import stable_number
from tooldrill.agent.settings import SamplingSettings

LOGITS = np.log(np.array([0.4, 0.3, 0.15, 0.1, 0.04, 0.01], np.float32))


def drawn(**settings: float) -> Counter[int]:
    sampling = SamplingSettings.model_validate({"temperature": 1.0, **settings})
    return Counter(Sampler(sampling, len(LOGITS), n).choose(LOGITS) for n in range(4000))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [0.4, 0.3, 0.15, 0.1, 0.04, 0.01]),
        ({"top_k": 2}, [4 / 7, 3 / 7, 0, 0, 0, 0]),
        ({"top_p": 0.8}, [0.4 / 0.85, 0.3 / 0.85, 0.15 / 0.85, 0, 0, 0]),
        ({"min_p": 0.3}, [0.4 / 0.85, 0.3 / 0.85, 0.15 / 0.85, 0, 0, 0]),
        # Temperature comes last: it does not change which tokens are kept.
        ({"top_p": 0.6, "temperature": 0.5}, [0.16 / 0.25, 0.09 / 0.25, 0, 0, 0, 0]),
    ],
)
def test_frequencies(settings: dict[str, float], expected: list[float]) -> None:
    found = drawn(**settings)
    for token, share in enumerate(expected):
        # Four standard deviations of a share of 4,000 draws.
        assert abs(found[token] / 4000 - share) <= 4 * (share * (1 - share) / 4000) ** 0.5


def test_greedy_takes_the_first_of_equals() -> None:
    logits = np.array([0, 2, 2, 1], np.float32)
    assert Sampler(SamplingSettings(), 4).choose(logits) == 1


def test_the_repeat_penalty_counts_the_prompt_and_the_reply() -> None:
    logits = np.array([2.0, 1.8, 1.0, -1.0], np.float32)
    settings = SamplingSettings(repeat_penalty=1.5)
    assert Sampler(settings, 4, prompt=[0]).choose(logits) == 1
    sampler = Sampler(settings, 4)
    assert [sampler.choose(logits) for _ in range(2)] == [0, 1]
    far = Sampler(settings, 4, prompt=[0] + [3] * 64)
    assert far.choose(logits) == 0, "it looks back at 64 tokens"


def test_the_same_seed_draws_the_same_and_every_seed_its_own() -> None:
    sampling = SamplingSettings(temperature=1.0, seed=3)

    def tokens(offset: int) -> list[int]:
        sampler = Sampler(sampling, len(LOGITS), offset)
        return [sampler.choose(LOGITS) for _ in range(20)]

    assert tokens(1) == tokens(1) != tokens(2)
    # llama.cpp would take this number for "any seed".
    assert tokens(0xFFFFFFFF - sampling.seed) == tokens(0xFFFFFFFF - sampling.seed)


def test_stable_numbers_are_the_same_everywhere() -> None:
    assert stable_number("task", 3) == 1972395069
    assert len({stable_number(f"t{n}", step) for n in range(100) for step in range(10)}) == 1000
    assert stable_number("t1", 2) != stable_number("t", 12)


def test_pieces_are_whole_characters() -> None:
    seen: list[str] = []
    text = ReplyText(seen.append)
    raw = "é🙂日x".encode()
    for byte in raw:
        text.add(bytes([byte]))
    text.add(b"\xf0\x9f")
    assert str(text) == "é🙂日x"
    assert text.end() == "é🙂日x�"
    assert seen == ["é", "🙂", "日", "x", "�"]


def test_streamed_pieces_are_the_reply_without_its_stop_token(tmp_path: Path) -> None:
    path = save_gguf(tmp_path / "m.gguf")
    engine = open_engine(path, 3)
    seen: dict[str, list[str]] = {str(n): [] for n in range(24)}
    sampling = SamplingSettings(temperature=3.0, seed=1)
    turns = [
        turn(key, f"read {key} ", 160, int(key), sampling=sampling, on_text=pieces.append)
        for key, pieces in seen.items()
    ]
    given = replies(engine, turns)
    engine.close()
    stopped = [one for one in given.values() if one.stop == "stop"]
    assert stopped, "some reply has to end by itself"
    for key, one in given.items():
        assert "".join(seen[key]) == one.text
        assert all(seen[key])
    assert all(not one.text.endswith(("<|im_end|>", "<|endoftext|>")) for one in stopped)
