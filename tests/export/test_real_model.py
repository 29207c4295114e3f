"""The embedded SmolLM2 through the whole stage."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model

from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.export.merge import merged_model
from tooldrill.export.run import export_model
from tooldrill.export.samples import NEUTRAL
from tooldrill.export.settings import ExportSettings
from tooldrill.export.verify import check_logits, verify
from tooldrill.training.base_model import load_model, load_tokenizer
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lora")
    torch.manual_seed(0)
    tuned = get_peft_model(
        load_model(resolve(ModelSettings())),
        LoraConfig(r=4, lora_alpha=8, target_modules="all-linear"),
    )
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_B" in name:
                weights.normal_(0, 0.02)
    tuned.save_pretrained(folder)
    return folder


def test_a_tuned_smollm2_is_exported_quantized_and_verified(adapter: Path, tmp_path: Path) -> None:
    settings = ExportSettings(quantizations=["F16", "Q8_0", "Q4_K_M"])
    summary = export_model(ModelSettings(), adapter, settings, None, tmp_path)
    f16, q8, q4 = summary.files
    assert 16 < f16.bits_per_weight < 16.1
    assert 8.5 < q8.bits_per_weight < 8.6
    # 576 is not a multiple of 256: only ffn_down (rows of 1536) gets K-quants.
    assert 6 < q4.bits_per_weight < 6.3
    assert {name for f in q4.fallbacks for name in f.names} == {
        "attn_k", "attn_output", "attn_q", "attn_v", "ffn_gate", "ffn_up", "token_embd",
    }  # fmt: skip
    kl = [check.mean_kl for check in summary.verification.logits]
    assert kl[0] < 1e-4 < kl[1] < kl[2]
    assert summary.verification.tokens is not None
    assert summary.verification.tokens.texts >= 300

    base = resolve(ModelSettings())
    untuned, tokenizer = merged_model(base, None), load_tokenizer(base)
    encoded = [tokenizer.encode(text) for text in NEUTRAL]
    against_base = check_logits(untuned, {"F16": summary.path("F16")}, encoded)[0]
    assert against_base.mean_kl > 1e-3, "the adapter is not in the file"

    with torch.no_grad():
        untuned.model.layers[15].mlp.down_proj.weight.mul_(1.2)
    failed = verify(
        untuned, tokenizer, {"F16": summary.path("F16")}, NEUTRAL, settings=settings
    ).failure
    assert failed is not None
    assert "mean KL" in failed


def test_the_embedded_tokenizer_cuts_as_its_own_gguf_does() -> None:
    base = resolve(ModelSettings())
    assert base.gguf_path is not None
    tokenizer = load_tokenizer(base)
    model = GgufModel(base.gguf_path, vocabulary_only=True)
    for text in ["  12", "x  12\n", "\n 3", "½ ² Ⅷ ٣٤", "<|im_start|>user\n 10  20<|im_end|>\n"]:
        assert tokenizer.encode(text) == model.tokenize(text), text
    model.close()
