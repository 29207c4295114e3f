"""Every kind of adapter: merged into what PEFT computes, or refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import Gemma3Config, Gemma3ForConditionalGeneration

from tooldrill.agent.errors import TooldrillError
from tooldrill.export import merging
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.lazy_tensor import loaded
from tooldrill.export.merge import merge, merged_model, tuned_model
from tooldrill.export.merging import merge_measured
from tooldrill.export.readings import compare_readings, model_logits
from tooldrill.export.samples import Samples, neutral_samples
from tooldrill.export.settings import ExportSettings
from tooldrill.export.tensors import check_tensors
from tooldrill.export.verify import tally_file
from tooldrill.training.base_model import load_model, load_tokenizer
from tooldrill.training.find_base import BaseModel, resolve
from tooldrill.training.settings import ModelSettings

TOKENS = list(range(3, 50))
WEIGHTS = "adapter_model.safetensors"
# What LoraConfig is given beyond rank, alpha and all linear layers.
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rslora": {"use_rslora": True},
    "patterns": {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"down_proj": 32}},
    "dora": {"use_dora": True},
    "pissa": {"init_lora_weights": "pissa"},
    "olora": {"init_lora_weights": "olora"},
    "orthogonal": {"init_lora_weights": "orthogonal"},
    "head": {"modules_to_save": ["lm_head"]},
    "embeddings": {"modules_to_save": ["embed_tokens"]},
    "both": {"modules_to_save": ["embed_tokens", "lm_head"]},
    "both tied": {
        "modules_to_save": ["embed_tokens", "lm_head"],
        "ensure_weight_tying": True,
    },
    "low-rank head": {"target_modules": ["q_proj", "lm_head"]},
}


@pytest.fixture(scope="session")
def base(tiny: Path) -> BaseModel:
    return resolve(ModelSettings(path=str(tiny)))


@pytest.fixture(scope="session")
def samples(base: BaseModel) -> Samples:
    return neutral_samples(load_tokenizer(base))


def make_adapter(base: BaseModel, out: Path, kind: str = "plain") -> torch.Tensor:
    """Saves an adapter with something learned; returns the logits of the model that carries it."""
    torch.manual_seed(3)
    settings = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", **KINDS[kind]}
    tuned = get_peft_model(load_model(base), LoraConfig(**settings)).eval()
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if weights.requires_grad:
                weights.add_(torch.randn_like(weights) * (0.05 if "lora_" in name else 0.02))
    tuned.save_pretrained(out)
    return torch.from_numpy(model_logits(tuned, TOKENS, range(len(TOKENS))))


@pytest.mark.parametrize("kind", KINDS)
def test_a_merged_adapter_and_its_file_compute_what_was_trained(
    kind: str, base: BaseModel, samples: Samples, tmp_path: Path
) -> None:
    trained = make_adapter(base, tmp_path / "adapter", kind)
    made = merge_measured(base, tmp_path / "adapter", samples, tmp_path, settings=ExportSettings())
    merged = torch.from_numpy(model_logits(made.model, TOKENS, range(len(TOKENS))))
    assert torch.allclose(merged, trained, atol=2e-3)
    untrained = torch.from_numpy(model_logits(load_model(base), TOKENS, range(len(TOKENS))))
    assert not torch.allclose(merged, untrained, atol=0.05), "nothing was learned"
    assert made.check.delta is not None
    assert made.check.delta.mean_kl < 1e-7
    path = tmp_path / "m.gguf"
    write_gguf(made.model, samples.tokenizer, "x", path, base=base, name="t")
    assert check_tensors(made.model, path).differing is None
    assert tally_file(made.said, "F16", path, samples).result().mean_kl < 5e-5


def test_a_head_that_was_trained_leaves_the_embeddings_alone(
    base: BaseModel, tmp_path: Path
) -> None:
    before = load_model(base).get_input_embeddings().weight
    for kind in ("head", "low-rank head"):
        make_adapter(base, tmp_path / kind, kind)
        merged = merged_model(base, tmp_path / kind)
        assert torch.equal(merged.get_input_embeddings().weight, before)
        assert not torch.equal(merged.get_output_embeddings().weight, before)
        assert merged.config.tie_word_embeddings is False
    make_adapter(base, tmp_path / "tied", "both tied")
    merged = merged_model(base, tmp_path / "tied")
    assert merged.config.tie_word_embeddings is True
    assert merged.get_output_embeddings().weight is merged.get_input_embeddings().weight
    assert not torch.equal(merged.get_input_embeddings().weight, before)


def test_the_text_part_of_a_multimodal_model_says_that_its_output_is_its_own(
    tmp_path: Path,
) -> None:
    text = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
            "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8}  # fmt: skip
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
              "num_attention_heads": 2, "image_size": 28, "patch_size": 14,
              "vision_use_head": False}  # fmt: skip
    config = Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=4)
    Gemma3ForConditionalGeneration(config).save_pretrained(tmp_path / "base")
    base = BaseModel("gemma", str(tmp_path / "base"))
    make_adapter(base, tmp_path / "adapter", "head")
    merged = merged_model(base, tmp_path / "adapter")
    head, embeddings = merged.get_output_embeddings(), merged.get_input_embeddings()
    assert not torch.equal(head.weight, embeddings.weight)
    assert merged.config.tie_word_embeddings is False
    assert merged.config.get_text_config().tie_word_embeddings is False


def test_merged_weights_that_are_not_the_adapters_fail_with_text_and_token(
    base: BaseModel, samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_adapter(base, tmp_path / "adapter", "dora")

    def noisy(*given: Any) -> Any:
        model = merge(*given)
        with torch.no_grad():
            weights = model.model.layers[1].mlp.up_proj.weight
            weights.add_(torch.randn_like(weights) * 1e-2)
        return model

    monkeypatch.setattr(merging, "merge", noisy)
    with pytest.raises(TooldrillError, match=r"not the base with its adapter: mean KL") as raised:
        merge_measured(base, tmp_path / "adapter", samples, tmp_path, settings=ExportSettings())
    token = samples.items[0].tokens[0]
    assert f"first at text 0, token 0 ({token})" in raised.value.message


def change_weights(folder: Path, change: Any) -> None:
    weights = load_file(folder / WEIGHTS)
    change(weights)
    save_file(weights, folder / WEIGHTS)


def change_config(folder: Path, **values: Any) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


Q_PROJ = "base_model.model.model.layers.0.self_attn.q_proj"


def test_adapters_that_cannot_be_merged_are_refused_in_one_line(
    base: BaseModel, samples: Samples, tmp_path: Path
) -> None:
    def refused(change: Any, match: str) -> None:
        folder = tmp_path / "adapter"
        make_adapter(base, folder)
        change(folder)
        with pytest.raises(TooldrillError, match=match) as raised:
            merge_measured(base, folder, samples, tmp_path, settings=ExportSettings())
        assert "\n" not in raised.value.message

    def nan(weights: dict[str, torch.Tensor]) -> None:
        weights[f"{Q_PROJ}.lora_B.weight"][1, 1] = float("nan")

    refused(lambda f: change_weights(f, nan), rf"{Q_PROJ}\.lora_B\.weight .* no number")
    lose = f"{Q_PROJ}.lora_A.weight"
    refused(lambda f: change_weights(f, lambda w: w.pop(lose)), r"lacks .*q_proj\.lora_A")
    refused(lambda f: change_config(f, target_modules=["v_proj"]), r"has no place for .*\.lora_")
    refused(lambda f: change_config(f, peft_type="IA3"), "is a IA3, and only LoRA")
    refused(lambda f: change_config(f, init_lora_weights="pissa_niter_4"), "began as pissa_niter_4")
    refused(lambda f: change_config(f, init_lora_weights="corda"), "began as corda")
    refused(lambda f: (f / "adapter_config.json").write_text("[1]"), "no JSON object")
    refused(lambda f: change_config(f, alora_invocation_tokens=[5, 6]), "is an activated LoRA")


def test_embeddings_take_no_low_rank_update(base: BaseModel, tmp_path: Path) -> None:
    tuned = get_peft_model(load_model(base), LoraConfig(r=2, target_modules=["embed_tokens"]))
    tuned.save_pretrained(tmp_path, save_embedding_layers=False)
    with pytest.raises(TooldrillError, match=r"no linear layer model\.embed_tokens"):
        tuned_model(base, tmp_path)


NF4 = {
    "load_in_4bit": True,
    "load_in_8bit": False,
    "bnb_4bit_quant_type": "nf4",
    "bnb_4bit_use_double_quant": True,
    "bnb_4bit_compute_dtype": "float32",
}


def quantized_adapter(base: BaseModel, folder: Path) -> Path:
    make_adapter(base, folder)
    (folder / "base_quantization.json").write_text(json.dumps(NF4))
    return folder


def test_without_bitsandbytes_the_difference_is_said_to_be_unmeasured(
    base: BaseModel, samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    adapter = quantized_adapter(base, tmp_path / "adapter")
    made = merge_measured(base, adapter, samples, tmp_path, settings=ExportSettings())
    told = made.check.quantized_base
    assert told is not None
    assert (told.merged_into, told.difference) == ("original", None)
    assert "pip install 'tooldrill[qlora]'" in str(told.unmeasured)
    dequantized = ExportSettings(merge_into="dequantized")
    with pytest.raises(TooldrillError, match="bitsandbytes is not installed"):
        merge_measured(base, adapter, samples, tmp_path, settings=dequantized)
    (adapter / "base_quantization.json").unlink()
    with pytest.raises(TooldrillError, match="not trained over quantized weights"):
        merge_measured(base, adapter, samples, tmp_path, settings=dequantized)
    (adapter / "base_quantization.json").write_text("{}")
    with pytest.raises(TooldrillError, match="does not say how the base was quantized"):
        merge_measured(base, adapter, samples, tmp_path, settings=dequantized)


@pytest.mark.slow
def test_an_adapter_over_four_bits_is_merged_into_either_base(
    base: BaseModel, samples: Samples, tmp_path: Path
) -> None:
    pytest.importorskip("bitsandbytes", reason="the extra qlora is not installed")
    adapter = quantized_adapter(base, tmp_path / "adapter")
    original, dequantized = (
        merge_measured(
            base, adapter, samples, tmp_path, settings=ExportSettings(merge_into=into)
        )
        for into in ("original", "dequantized")
    )  # fmt: skip
    name = "model.layers.1.mlp.up_proj.weight"
    whole = merged_model(base, adapter).state_dict()[name]
    assert torch.allclose(loaded(original.model.state_dict()[name]), whole)
    assert not torch.allclose(dequantized.model.state_dict()[name], whole, atol=1e-3)
    for made in (original, dequantized):
        assert made.check.delta is not None
        assert made.check.delta.mean_kl < 1e-7
    differences = [made.check.quantized_base.difference for made in (original, dequantized)]  # type: ignore[union-attr]
    assert differences[0] == differences[1]
    assert differences[0] is not None
    assert differences[0].mean_kl > 1e-3
    across = compare_readings(dequantized.said, original.said, samples).delta()
    assert across.mean_kl == pytest.approx(differences[0].mean_kl, rel=1e-3)
    assert across.perplexity == pytest.approx(differences[0].perplexity, rel=1e-3)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("double", [True, False])
def test_dequantized_weights_are_those_of_the_training(
    dtype: str, double: bool, base: BaseModel, tmp_path: Path
) -> None:
    bitsandbytes = pytest.importorskip("bitsandbytes", reason="the extra qlora is not installed")
    from tooldrill.export.dequantize import dequantize, read_quantization
    from tooldrill.training.quantized_base import keep_quantization, load_quantized
    from tooldrill.training.settings import TrainingSettings

    settings = TrainingSettings.model_validate(
        {
            "quantization": {"enabled": True, "double": double},
            "hardware": {"device": "cpu", "dtype": dtype},
        }
    )
    trained = load_quantized(base, settings)
    keep_quantization(trained, tmp_path)
    quantized = read_quantization(tmp_path)
    assert quantized is not None
    assert (quantized.double, str(quantized.dtype)) == (double, f"torch.{dtype}")
    plain = load_model(base)
    dequantize(plain, quantized)
    values = dict(plain.named_parameters())
    linear = 0
    for name, module in trained.named_modules():
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            linear += 1
            weights = bitsandbytes.functional.dequantize_4bit(
                module.weight.data, module.weight.quant_state
            )
            assert torch.equal(values[f"{name}.weight"], weights.float()), name
    assert linear == 3 * 7
    for name, weights in trained.named_parameters():
        if weights.dtype.is_floating_point:
            assert torch.equal(values[name], weights.float()), name


def test_a_base_in_full_weights_leaves_no_word_of_quantization(
    base: BaseModel, tmp_path: Path
) -> None:
    from tooldrill.training.quantized_base import keep_quantization

    keep_quantization(load_model(base), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_samples_are_read_the_same_by_both_models(base: BaseModel, samples: Samples) -> None:
    model = load_model(base)
    sample = samples.items[0]
    some = replace(sample, positions=[0, 5, 9])
    every = model_logits(model, sample.tokens, range(len(sample.tokens)))
    assert every[some.positions] == pytest.approx(
        model_logits(model, some.tokens, some.positions), abs=1e-4
    )
