"""A model that reads its weights while it computes says what the one in memory says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from tooldrill.export.layouts.registry import layout_for
from tooldrill.export.merge import merged_model
from tooldrill.export.streamed import open_adapted, open_streamed
from tooldrill.training.base_model import load_model
from tooldrill.training.find_base import BaseModel, resolve
from tooldrill.training.settings import ModelSettings

TOKENS = torch.arange(3, 40)[None]


@pytest.fixture(scope="module")
def base(tiny: Path) -> BaseModel:
    return resolve(ModelSettings(path=str(tiny)))


def save_adapter(base: BaseModel, out: Path, **config: Any) -> Path:
    torch.manual_seed(3)
    made = LoraConfig(**{"r": 4, "lora_alpha": 8, "target_modules": "all-linear", **config})
    tuned = get_peft_model(load_model(base), made)
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_" in name and "magnitude" not in name:
                weights.normal_(0, 0.1)
    tuned.save_pretrained(out)
    return out


PLAIN: dict[str, dict[str, Any]] = {
    "plain": {},
    "rslora": {"use_rslora": True},
    "patterns": {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"up_proj": 32}},
    "some": {"target_modules": ["q_proj", "down_proj"]},
}


@pytest.mark.parametrize("case", list(PLAIN))
@torch.no_grad()
def test_logits_and_tensors_are_those_of_the_model_in_memory(
    base: BaseModel, tmp_path: Path, case: str
) -> None:
    adapter = save_adapter(base, tmp_path / "adapter", **PLAIN[case])
    streamed, beside = open_streamed(base, adapter), open_adapted(base, adapter)
    assert streamed is not None
    assert beside is not None
    whole = merged_model(base, adapter)
    expected = whole(TOKENS).logits
    assert torch.equal(streamed(TOKENS).logits, expected)
    assert torch.equal(streamed(TOKENS).logits, expected), "and once more"
    tuned = PeftModel.from_pretrained(load_model(base), str(adapter)).eval()
    assert torch.equal(beside(TOKENS).logits, tuned(TOKENS).logits)
    planned = list(layout_for(streamed.config).tensors(streamed))
    made = list(layout_for(whole.config).tensors(whole))
    assert [(t.name, t.shape, t.bytes) for t in planned] == [
        (t.name, t.shape, t.bytes) for t in made
    ]
    assert all((a.array() == b.array()).all() for a, b in zip(planned, made, strict=True))


@torch.no_grad()
def test_nothing_stays_in_memory(base: BaseModel) -> None:
    streamed = open_streamed(base, None)
    assert streamed is not None
    streamed(TOKENS)
    assert all(weights.is_meta for weights in streamed.parameters())
    assert all(weights.is_meta for weights in streamed.state_dict().values())


NOT_PLAIN: dict[str, dict[str, Any]] = {
    "dora": {"use_dora": True},
    "pissa": {"init_lora_weights": "pissa"},
    "whole": {"modules_to_save": ["norm"]},
    "bias": {"bias": "all"},
    "output": {"target_modules": ["lm_head"]},
}


@pytest.mark.parametrize("case", list(NOT_PLAIN))
def test_what_is_more_than_a_plain_lora_is_left_to_memory(
    base: BaseModel, tmp_path: Path, case: str
) -> None:
    adapter = save_adapter(base, tmp_path / "adapter", **NOT_PLAIN[case])
    assert open_streamed(base, adapter) is None
    assert open_adapted(base, adapter) is None


def test_a_base_whose_file_lacks_a_tensor_is_left_to_memory(
    make_folder: Any, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder = make_folder()
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert open_streamed(resolve(ModelSettings(path=str(folder))), None) is None


@torch.no_grad()
def test_a_base_in_parts_and_in_bf16_is_read_in_fp32(base: BaseModel, tmp_path: Path) -> None:
    model = load_model(base, "bfloat16")
    folder = tmp_path / "parts"
    model.save_pretrained(folder, max_shard_size="50KB")
    assert len(list(folder.glob("*.safetensors"))) > 2
    parts = BaseModel("parts", str(folder))
    streamed = open_streamed(parts, None)
    assert streamed is not None
    assert torch.equal(streamed(TOKENS).logits, merged_model(parts, None)(TOKENS).logits)
