"""The embedded SmolLM2 through the whole stage."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model

from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.merge import merged_model
from tooldrill.export.merging import merge_measured
from tooldrill.export.quantize import quantize
from tooldrill.export.readings import compare_readings, read_model
from tooldrill.export.run import export_model
from tooldrill.export.samples import NEUTRAL, neutral_samples
from tooldrill.export.settings import ExportSettings, Quantization
from tooldrill.export.tensors import check_tensors
from tooldrill.export.verify import tally_file, verify
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
    checked = summary.verification
    assert checked.samples is not None
    assert checked.samples.origin == "held-out worlds"
    assert checked.samples.learned > 100
    assert checked.merge is not None
    assert checked.merge.delta is not None
    assert checked.merge.delta.mean_kl < 1e-7
    assert checked.tensors is not None
    assert (checked.tensors.tensors, checked.tensors.differing) == (272, None)
    kl = [check.mean_kl for check in checked.logits]
    assert kl[0] < 1e-4 < kl[1] < kl[2]
    lost = [abs(check.perplexity / check.perplexity_before - 1) for check in checked.logits]  # type: ignore[operator]
    assert lost[0] < 1e-3
    assert checked.tokens is not None
    assert checked.tokens.texts >= 300


def test_damage_to_a_tuned_smollm2_is_found_and_named(adapter: Path, tmp_path: Path) -> None:
    base = resolve(ModelSettings())
    tokenizer = load_tokenizer(base)
    samples = neutral_samples(tokenizer, NEUTRAL[:2])
    made = merge_measured(base, adapter, samples, tmp_path, settings=ExportSettings())
    path, q8 = tmp_path / "m.gguf", tmp_path / "q8.gguf"
    write_gguf(made.model, tokenizer, "x", path, base=base, name="t")
    assert check_tensors(made.model, path).differing is None

    untuned = merged_model(base, None)
    said = read_model(untuned, samples, tmp_path)
    assert compare_readings(said, made.said, samples).delta().mean_kl > 1e-3, "it does nothing"
    assert tally_file(said, "F16", path, samples).result().mean_kl > 1e-3, "it is not in the file"

    quantize(path, q8, "Q8_0")
    swap_heads(q8, "blk.7.attn_q.weight")
    files: dict[Quantization, Path] = {"F16": path, "Q8_0": q8}
    gate = ExportSettings(max_kl_quantized=0.01)
    failure = str(verify(made, files, samples, settings=gate).failure)
    assert "the Q8_0 file is too far" in failure
    assert "the tensor blk.7.attn_q.weight" in failure

    swap_heads(path, "blk.20.attn_k.weight")
    tensors = check_tensors(made.model, path)
    files = {"F16": path}
    failure = str(verify(made, files, samples, settings=gate, tensors=tensors).failure)
    assert "the F16 file is not the merged model" in failure
    assert "first at text 0, token" in failure
    assert "the first tensor that differs is blk.20.attn_k.weight" in failure


def swap_heads(path: Path, tensor: str) -> None:
    """Puts the first two heads (64 rows each) of a tensor in the other order."""
    data = next(t.data for t in gguf.GGUFReader(path, "r+").tensors if t.name == tensor)
    data[:128] = np.concatenate([data[64:128], data[:64]])
    data.flush()


def test_the_embedded_tokenizer_cuts_as_its_own_gguf_does() -> None:
    base = resolve(ModelSettings())
    assert base.gguf_path is not None
    tokenizer = load_tokenizer(base)
    model = GgufModel(base.gguf_path, vocabulary_only=True)
    for text in ["  12", "x  12\n", "\n 3", "½ ² Ⅷ ٣٤", "<|im_start|>user\n 10  20<|im_end|>\n"]:
        assert tokenizer.encode(text) == model.tokenize(text), text
    model.close()
