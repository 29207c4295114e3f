"""The families that GGUF is written for, as tiny random models: SFT, DPO and export of each."""

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
from tooldrill.export.run import export_model
from tooldrill.export.settings import ExportSettings
from tooldrill.training.config_shape import shares_prefixes
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
GEMMA = {"sliding_window": 16, "layer_types": WINDOWED, "query_pre_attn_scalar": 8}
HYBRID = ["mamba", "attention"] * 2
# Family, what its config has of its own, and why it cannot share prefixes (None: it can).
FAMILIES: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "smollm2 and llama 3.2": ("llama", {}, None),
    "mistral": ("mistral", {"sliding_window": None}, None),
    "qwen 2.5": ("qwen2", {}, None),
    "qwen 3": ("qwen3", {}, None),
    "qwen 3.5": ("qwen3_5_text", LINEAR, "linear_attention"),
    "gemma 3": ("gemma3_text", GEMMA, None),
    "lfm 2": ("lfm2", {"layer_types": ["conv", "full_attention"] * 2}, "conv"),
    "granite 3": ("granite", {}, None),
    "granite 4": ("granitemoehybrid", {**GRANITE, "layer_types": ["attention"] * 4}, None),
    "granite 4 h": ("granitemoehybrid", {**GRANITE, "layer_types": HYBRID}, "linear_attention"),
    "smollm 3": ("smollm3", {}, None),
    "phi 3": ("phi3", {}, None),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("families") / "set"
    settings = DataSettings(worlds=["files"], traces=4, pairs=4, tools=(2, 2), workers=1)
    build(settings, folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FAMILIES))
def test_a_family_trains_and_is_exported(
    name: str, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOOLDRILL_CACHE", str(tmp_path / "cache"))
    kind, own, reason = FAMILIES[name]
    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    ids = {f"{n}_token_id": getattr(tokenizer, f"{n}_token_id") for n in ("bos", "eos", "pad")}
    config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), **{**SHAPE, **ids, **own})
    assert shares_prefixes(config.to_dict()) is (reason is None)
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
    exported = export_model(
        model, dpo.adapter, ExportSettings(quantizations=["F16", "Q8_0"]), None, tmp_path / "out"
    )
    assert exported.converter == "tooldrill"
    assert [file.quantization for file in exported.files] == ["F16", "Q8_0"]
    assert all(exported.path(file.quantization).is_file() for file in exported.files)
    f16, q8 = exported.verification.logits
    assert f16.mean_kl < 1e-6
    assert f16.mean_kl < q8.mean_kl < 1e-4
