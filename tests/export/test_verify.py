"""The gates: what passes, what fails, and what the failure says."""

from __future__ import annotations

import copy
import math
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from tooldrill.agent.errors import TooldrillError
from tooldrill.export import same_tokens, vocabulary
from tooldrill.export.compare import DeltaTally, LogitTally, kl_divergence
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.merge import merged_model
from tooldrill.export.merging import Merged
from tooldrill.export.quantize import quantize
from tooldrill.export.readings import read_model
from tooldrill.export.records import MergeCheck, Verification
from tooldrill.export.same_tokens import check_tokens
from tooldrill.export.samples import Samples, neutral_samples
from tooldrill.export.settings import ExportSettings
from tooldrill.export.tensors import check_tensors, worst_tensor
from tooldrill.export.verify import check_greedy, verify
from tooldrill.training.base_model import load_tokenizer
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

SETTINGS = ExportSettings()
TEMPLATE = "{{ messages[0].content }}"


@dataclass
class Exported:
    """A tiny model, what it says to neutral text, and its F16 file."""

    merged: Merged
    samples: Samples
    path: Path
    folder: Path

    def verify(self, **settings: Any) -> Verification:
        """After the model was changed, perhaps."""
        said = read_model(self.merged.model, self.samples, self.folder)
        merged = replace(self.merged, said=said)
        return verify(merged, {"F16": self.path}, self.samples, settings=ExportSettings(**settings))


@pytest.fixture(scope="module")
def made(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("made")
    base = resolve(ModelSettings(path=str(tiny)))
    tokenizer = load_tokenizer(base)
    samples = neutral_samples(tokenizer)
    model = merged_model(base, None)
    write_gguf(model, tokenizer, TEMPLATE, folder / "m.gguf", base=base, name="t")
    merged = Merged(model, read_model(model, samples, folder), MergeCheck())
    return Exported(merged, samples, folder / "m.gguf", folder)


@pytest.fixture
def exported(made: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exported:
    """A copy to be changed, whose tokens are compared on the samples alone."""
    monkeypatch.setattr(same_tokens, "awkward_texts", lambda *_: [])
    merged = replace(made.merged, model=copy.deepcopy(made.merged.model))
    path = Path(shutil.copy(made.path, tmp_path))
    return Exported(merged, made.samples, path, tmp_path)


def damage(path: Path, tensor: str, change: Any) -> None:
    """Changes the stored values of one tensor, an array that is written through."""
    reader = gguf.GGUFReader(path, "r+")
    data = next(t.data for t in reader.tensors if t.name == tensor)
    change(data)
    data.flush()


def test_kl_of_known_distributions() -> None:
    uniform = np.zeros((1, 2), np.float32)
    skewed = np.log(np.array([[0.25, 0.75]], np.float32))
    expected = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert kl_divergence(uniform, skewed)[0] == pytest.approx(expected, rel=1e-5)
    assert kl_divergence(skewed, skewed + 3)[0] == pytest.approx(0, abs=1e-6)


def test_the_tally_finds_the_worst_and_the_first_position() -> None:
    tally = LogitTally("Q8_0")
    same = np.eye(3, dtype=np.float32)
    slightly, other = same.copy(), same.copy()
    slightly[2, 0] = 0.5
    other[1] = [4, 1, 0]
    tally.add(7, same, slightly, positions=[10, 20, 30])
    tally.add(9, same, other, positions=[11, 21, 31])
    check = tally.result()
    assert (check.worst_text, check.worst_position) == (9, 21)
    assert tally.first_beyond(1e-3) == (7, 30)
    assert tally.first_beyond(0.2) == (9, 21)
    assert tally.first_beyond(10) == (9, 21), "another top token is beyond any limit"
    assert check.positions == 6
    assert check.top1 == pytest.approx(5 / 6)
    assert check.max_difference == 4
    assert check.near_ties == 0
    assert (check.learned, check.perplexity) == (0, None)


def test_a_top_token_decided_by_rounding_is_a_near_tie() -> None:
    tally = LogitTally("F16")
    tally.add(0, np.array([[1.0, 0.97, -5.0]]), np.array([[0.97, 1.0, -5.0]]))
    tally.add(1, np.array([[1.0, 0.5, -5.0]]), np.array([[0.5, 1.0, -5.0]]))
    assert (tally.result().top1, tally.result().near_ties) == (0, 0.5)
    assert tally.first_beyond(10) == (1, 0)


def test_perplexity_is_of_the_learned_tokens() -> None:
    before = np.log(np.array([[0.5, 0.5], [0.25, 0.75], [0.9, 0.1]], np.float32))
    after = np.log(np.array([[0.1, 0.9], [0.5, 0.5], [0.9, 0.1]], np.float32))
    tally = DeltaTally()
    tally.add(0, before, after, [4, 5, 6], [1, 0, -100])
    delta = tally.delta()
    assert delta.learned == 2
    assert delta.perplexity_before == pytest.approx(math.sqrt(1 / (0.5 * 0.25)))
    assert delta.perplexity == pytest.approx(math.sqrt(1 / (0.9 * 0.5)))


def test_a_tally_of_many_rows_is_that_of_its_rows() -> None:
    rng = np.random.default_rng(0)
    before, after = (rng.normal(size=(100, 7)).astype(np.float32) for _ in range(2))
    learned = rng.integers(0, 7, 100).tolist()
    whole, single = DeltaTally(), DeltaTally()
    whole.add(0, before, after, range(100), learned)
    for row in range(100):
        at = slice(row, row + 1)
        single.add(0, before[at], after[at], [row], learned[at])
    assert whole.delta().model_dump() == pytest.approx(single.delta().model_dump())


def test_a_faithful_file_passes(made: Exported) -> None:
    exported = made
    tensors = check_tensors(exported.merged.model, exported.path)
    assert (tensors.differing, tensors.tensors) == (None, 29)
    result = exported.verify()
    assert result.failure is None
    assert result.tokens is not None
    assert result.tokens.texts >= 300
    (check,) = result.logits
    assert check.top1 + check.near_ties > 0.99
    assert check.mean_kl < 2e-5
    assert check.learned == check.positions > 100
    assert check.perplexity == pytest.approx(check.perplexity_before, rel=1e-3)
    assert result.greedy is not None
    assert result.greedy.equal + result.greedy.near_ties == result.greedy.prompts == 2


def test_a_perturbed_tensor_fails_and_says_where(exported: Exported) -> None:
    with torch.no_grad():
        exported.merged.model.model.layers[1].self_attn.v_proj.weight.mul_(1.5)
    result = exported.verify()
    assert result.failure is not None
    assert "mean KL" in result.failure
    assert result.logits[0].mean_kl > 1e-3
    # The first token already attends to itself.
    token = exported.samples.items[0].tokens[0]
    assert f"first at text 0, token 0 ({token})" in result.failure
    assert check_tensors(exported.merged.model, exported.path).differing == "blk.1.attn_v.weight"


def test_one_altered_weight_of_the_file_is_named_though_no_logit_shows_it(
    exported: Exported,
) -> None:
    name = "blk.2.ffn_up.weight"
    before = exported.merged.model.model.layers[2].mlp.up_proj.weight[5, 7].item()

    def change(data: Any) -> None:
        data[5, 7] += np.float16(0.001)

    damage(exported.path, name, change)
    tensors = check_tensors(exported.merged.model, exported.path)
    assert tensors.differing == name
    assert tensors.off_by == pytest.approx(0.001, abs=2e-3 * abs(before))
    samples, merged = exported.samples, exported.merged
    result = verify(merged, {"F16": exported.path}, samples, settings=SETTINGS, tensors=tensors)
    assert result.failure is not None
    assert f"the first tensor that differs is {name}, by up to 0.00" in result.failure
    assert result.logits[0].mean_kl < SETTINGS.max_kl_f16


def test_heads_in_another_order_are_found(exported: Exported) -> None:
    def swap(data: Any) -> None:
        data[:32] = np.concatenate([data[16:32], data[:16]])

    damage(exported.path, "blk.1.attn_q.weight", swap)
    tensors = check_tensors(exported.merged.model, exported.path)
    assert tensors.differing == "blk.1.attn_q.weight"
    result = exported.verify()
    assert result.failure is not None
    assert "mean KL" in result.failure


def test_a_wrong_layout_is_told_from_a_damaged_file(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tooldrill.export.layouts.llama import Llama

    monkeypatch.setattr(Llama, "rotary_pairs", False)
    model, tokenizer = exported.merged.model, exported.samples.tokenizer
    path = exported.folder / "wrong.gguf"
    base = resolve(ModelSettings(path=model.config._name_or_path))
    write_gguf(model, tokenizer, TEMPLATE, path, base=base, name="t")
    tensors = check_tensors(model, path)
    assert tensors.differing is None
    result = verify(
        exported.merged, {"F16": path}, exported.samples, settings=SETTINGS, tensors=tensors
    )
    assert result.failure is not None
    assert "tensors are the model's, so their layout is wrong" in result.failure


def test_a_file_with_another_chat_template_fails(exported: Exported) -> None:
    exported.samples = replace(exported.samples, template=TEMPLATE + " ")
    assert "another chat template than the training" in str(exported.verify().failure)
    exported.samples = replace(exported.samples, template=TEMPLATE)
    assert exported.verify().failure is None


def test_a_nan_does_not_pass(exported: Exported) -> None:
    with torch.no_grad():
        exported.merged.model.model.norm.weight[0] = float("nan")
    assert "mean KL nan" in str(exported.verify().failure)


def test_a_broken_quantization_fails_and_its_tensor_is_named(exported: Exported) -> None:
    path = exported.folder / "m-q8.gguf"
    quantize(exported.path, path, "Q8_0")
    files = {"F16": exported.path, "Q8_0": path}
    good = verify(exported.merged, files, exported.samples, settings=SETTINGS)  # type: ignore[arg-type]
    assert good.failure is None
    assert good.logits[0].mean_kl < good.logits[1].mean_kl < 0.1
    assert worst_tensor(exported.path, path)[1] < 0.02

    def negate(data: Any) -> None:
        # A block is a scale of two bytes and 32 numbers of one.
        blocks = data.reshape(-1, 34)
        blocks[:, 1] ^= 0x80

    damage(path, "blk.0.ffn_down.weight", negate)
    result = verify(
        exported.merged, files, exported.samples,  # type: ignore[arg-type]
        settings=ExportSettings(max_kl_quantized=0.05),
    )  # fmt: skip
    assert "the Q8_0 file is too far" in str(result.failure)
    assert "first at text 0, token 0" in str(result.failure)
    assert "the tensor blk.0.ffn_down.weight (relative error 2)" in str(result.failure)
    loose = ExportSettings(max_kl_quantized=None)
    assert verify(exported.merged, files, exported.samples, settings=loose).failure is None  # type: ignore[arg-type]


def test_a_wrong_cut_is_found_by_its_tokens(
    made: Exported, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = made.samples.tokenizer
    monkeypatch.setattr(vocabulary, "_pre_tokenizer_name", lambda tokenizer, base: "llama-bpe")
    base = resolve(ModelSettings(path=str(tiny)))
    write_gguf(made.merged.model, tokenizer, "x", tmp_path / "w.gguf", base=base, name="t")
    with pytest.raises(TooldrillError, match=r"in training and .* in llama\.cpp"):
        check_tokens(tokenizer, tmp_path / "w.gguf")


def test_a_greedy_continuation_that_parts_names_the_token(exported: Exported) -> None:
    embeddings = exported.merged.model.model.embed_tokens.weight
    with torch.no_grad():
        embeddings.copy_(embeddings.flip(0))
    with pytest.raises(TooldrillError, match=r"continuation 0 parts at token \d+"):
        check_greedy(exported.merged.model, exported.samples, exported.path)
