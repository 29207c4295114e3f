"""The families that the configs name, as tiny random models: one step of SFT, one of DPO."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_llama import make_tokenizer
from transformers import AutoConfig, AutoModelForCausalLM

from tooldrill.data.sets.build import build
from tooldrill.data.settings import DataSettings
from tooldrill.training.dpo import train_dpo
from tooldrill.training.settings import ModelSettings, TrainingSettings
from tooldrill.training.sft import train_sft

SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": True,
}
GRANITE = {"num_local_experts": 0, "shared_intermediate_size": 48, "mamba_n_heads": 8}
LINEAR = {
    "linear_num_key_heads": 2, "linear_num_value_heads": 4,
    "linear_key_head_dim": 8, "linear_value_head_dim": 8,
}  # fmt: skip
WINDOWED = ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"]
HYBRID = ["mamba", "attention"] * 2
# Family, what its config has of its own, and why it cannot share prefixes (None: it can).
FAMILIES: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "smollm2 and llama 3.2": ("llama", {}, None),
    "qwen 3": ("qwen3", {}, None),
    "qwen 3.5": ("qwen3_5_text", LINEAR, "linear_attention"),
    "gemma 3": ("gemma3_text", {"sliding_window": 16, "layer_types": WINDOWED}, None),
    "lfm 2": ("lfm2", {"layer_types": ["conv", "full_attention"] * 2}, "conv"),
    "granite 4": ("granitemoehybrid", {**GRANITE, "layer_types": ["attention"] * 4}, None),
    "granite 4 h": ("granitemoehybrid", {**GRANITE, "layer_types": HYBRID}, "linear_attention"),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("families") / "set"
    settings = DataSettings(worlds=["files"], traces=4, pairs=4, tools=(2, 2), workers=1)
    build(settings, folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FAMILIES))
def test_a_family_trains(
    name: str, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOOLDRILL_CACHE", str(tmp_path / "cache"))
    kind, own, reason = FAMILIES[name]
    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    ids = {f"{n}_token_id": getattr(tokenizer, f"{n}_token_id") for n in ("bos", "eos", "pad")}
    config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), **{**SHAPE, **ids, **own})
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    model = ModelSettings(path=str(tmp_path / "base"))
    settings = TrainingSettings.model_validate(
        {
            "lora": {"rank": 2, "alpha": 4},
            "hardware": {"dtype": "float32", "threads": 1, "device": "cpu"},
            "sft": {"max_steps": 1, "warmup": 0.0, "learning_rate": 1e-2},
            "dpo": {"max_steps": 1, "warmup": 0.0, "learning_rate": 1e-2},
        }
    )
    sft = train_sft(model, settings, rows / "sft.jsonl", tmp_path / "sft")
    told = next(choice for choice in sft.choices if choice.startswith("shared prefixes"))
    assert told.endswith("computed once") if reason is None else reason in told
    dpo = train_dpo(model, settings, rows / "dpo.jsonl", sft.adapter, tmp_path / "dpo")
    before, after = (load_file(s.adapter / "adapter_model.safetensors") for s in (sft, dpo))
    assert any(not torch.equal(before[key], after[key]) for key in before)
    assert dpo.curve[0]["rewards/margins"] == pytest.approx(0.0, abs=1e-4)
