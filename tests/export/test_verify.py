"""The gate: what passes, what fails, and what the failure says."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tooldrill.agent.errors import TooldrillError
from tooldrill.export import vocabulary
from tooldrill.export.awkward import awkward_texts
from tooldrill.export.compare import LogitTally, kl_divergence
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.merge import merged_model
from tooldrill.export.samples import NEUTRAL
from tooldrill.export.settings import ExportSettings
from tooldrill.export.verify import check_greedy, check_tokens, verify
from tooldrill.training.base_model import load_tokenizer
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings


@pytest.fixture
def exported(tiny: Path, tmp_path: Path) -> tuple[Any, Any, Path]:
    base = resolve(ModelSettings(path=str(tiny)))
    model, tokenizer = merged_model(base, None), load_tokenizer(base)
    path = tmp_path / "m.gguf"
    write_gguf(model, tokenizer, "x", path, base=base, name="t")
    return model, tokenizer, path


def test_kl_of_known_distributions() -> None:
    uniform = np.zeros((1, 2), np.float32)
    skewed = np.log(np.array([[0.25, 0.75]], np.float32))
    expected = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert kl_divergence(uniform, skewed)[0] == pytest.approx(expected, rel=1e-5)
    assert kl_divergence(skewed, skewed + 3)[0] == pytest.approx(0, abs=1e-6)


def test_the_tally_finds_the_worst_position() -> None:
    tally = LogitTally("Q8_0")
    same = np.eye(3, dtype=np.float32)
    other = same.copy()
    other[1] = [4, 1, 0]
    tally.add(7, same, same)
    tally.add(9, same, other)
    check = tally.result()
    assert (check.worst_text, check.worst_position) == (9, 1)
    assert check.positions == 6
    assert check.top1 == pytest.approx(5 / 6)
    assert check.max_difference == 4
    assert check.near_ties == 0


def test_a_top_token_decided_by_rounding_is_a_near_tie() -> None:
    tally = LogitTally("F16")
    tally.add(0, np.array([[1.0, 0.97, -5.0]]), np.array([[0.97, 1.0, -5.0]]))
    tally.add(1, np.array([[1.0, 0.5, -5.0]]), np.array([[0.5, 1.0, -5.0]]))
    assert (tally.result().top1, tally.result().near_ties) == (0, 0.5)


def test_awkward_texts_are_many_distinct_and_the_same_every_time() -> None:
    texts = awkward_texts(["<|im_end|>"])
    assert len(set(texts)) >= 300
    assert texts == awkward_texts(["<|im_end|>"])


def test_a_faithful_file_passes(exported: tuple[Any, Any, Path]) -> None:
    model, tokenizer, path = exported
    result = verify(model, tokenizer, {"F16": path}, NEUTRAL, settings=ExportSettings())
    assert result.failure is None
    assert result.tokens is not None
    assert result.tokens.texts >= 300
    assert result.logits[0].top1 + result.logits[0].near_ties > 0.99
    assert result.logits[0].mean_kl < 2e-5
    assert result.greedy is not None
    assert result.greedy.equal + result.greedy.near_ties == result.greedy.prompts == 3


def test_a_perturbed_tensor_fails_and_says_where(exported: tuple[Any, Any, Path]) -> None:
    model, tokenizer, path = exported
    with torch.no_grad():
        model.model.layers[1].self_attn.v_proj.weight.mul_(1.5)
    result = verify(model, tokenizer, {"F16": path}, NEUTRAL, settings=ExportSettings())
    assert result.failure is not None
    assert "mean KL" in result.failure
    worst = result.logits[0]
    assert f"text {worst.worst_text}, position {worst.worst_position}" in result.failure
    assert result.logits[0].mean_kl > 1e-3


def test_a_nan_does_not_pass(exported: tuple[Any, Any, Path]) -> None:
    model, tokenizer, path = exported
    with torch.no_grad():
        model.model.norm.weight[0] = float("nan")
    result = verify(model, tokenizer, {"F16": path}, NEUTRAL, settings=ExportSettings())
    assert result.failure is not None


def test_a_wrong_cut_is_found_by_its_tokens(
    exported: tuple[Any, Any, Path], tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer, _ = exported
    monkeypatch.setattr(vocabulary, "_pre_tokenizer_name", lambda tokenizer, base: "llama-bpe")
    base = resolve(ModelSettings(path=str(tiny)))
    write_gguf(model, tokenizer, "x", tmp_path / "w.gguf", base=base, name="t")
    with pytest.raises(TooldrillError, match=r"in training and .* in llama\.cpp"):
        check_tokens(tokenizer, tmp_path / "w.gguf")


def test_a_greedy_continuation_that_parts_names_the_token(exported: tuple[Any, Any, Path]) -> None:
    model, tokenizer, path = exported
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(model.model.embed_tokens.weight.flip(0))
    encoded = [tokenizer.encode(text)[:60] for text in NEUTRAL]
    with pytest.raises(TooldrillError, match=r"continuation 0 parts at token \d+"):
        check_greedy(model, tokenizer, path, encoded)
