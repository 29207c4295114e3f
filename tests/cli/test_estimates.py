"""Estimates follow the config and the model; what they rest on is measured, not asserted here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from published_shapes import MODELS
from safetensors.numpy import save_file

from tooldrill.config import RunConfig
from tooldrill.estimates import START_SECONDS, estimate
from tooldrill.model_shape import ModelShape, model_shape, shape_of_config
from tooldrill.training.activations import Decoder, gap_bytes
from tooldrill.training.settings import TrainingSettings
from tooldrill.training_memory import Weights, adapter_weights, training_memory

# Rank 16, plain LoRA.
SETTINGS = TrainingSettings()


def config(**changes: object) -> RunConfig:
    return RunConfig.model_validate({"name": "a", **changes})


def test_the_embedded_model_is_measured_from_its_header() -> None:
    shape = model_shape("smollm2-135m")
    assert shape == shape_of_config(MODELS["smollm2-135m"], 134_515_008)


def test_a_folder_is_measured_without_loading_it(tmp_path: Path) -> None:
    shape = {
        "hidden_size": 8, "num_attention_heads": 4, "num_key_value_heads": 2,
        "num_hidden_layers": 3, "vocab_size": 11, "intermediate_size": 20,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(shape))
    save_file({"a": np.zeros((5, 7), np.float32)}, tmp_path / "model-1.safetensors")
    save_file({"b": np.zeros(4, np.float16)}, tmp_path / "model-2.safetensors")
    assert model_shape(str(tmp_path)) == ModelShape(39, 88, Decoder(3, 8, 8, 4, 20, 11))
    for weights in tmp_path.glob("*.safetensors"):
        weights.unlink()
    # Without weights the config is counted: 11 * 8, and per layer 8 * (16 + 8) + 3 * 8 * 20.
    assert model_shape(str(tmp_path)) == ModelShape(88 + 3 * 672, 88, Decoder(3, 8, 8, 4, 20, 11))


def test_a_hub_name_is_known_once_it_lies_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.file_download.HF_HUB_CACHE", str(tmp_path), raising=False)
    assert model_shape("org/little") is None
    assert model_shape("no such/place/at all") is None
    repository = tmp_path / "models--org--little"
    snapshot = repository / "snapshots/abc"
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text("abc")
    (snapshot / "config.json").write_text(json.dumps(MODELS["qwen3-0.6b"]))
    assert model_shape("org/little") == shape_of_config(MODELS["qwen3-0.6b"])


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_config_is_counted_as_transformers_builds_it(name: str) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    published = {**MODELS[name], "num_hidden_layers": 4}  # every kind of layer is among them
    if "layer_types" in published:
        published["layer_types"] = published["layer_types"][:4]
    if "full_attn_idxs" in published:
        published["full_attn_idxs"] = [2]
    shape = shape_of_config(published)
    config = AutoConfig.for_model(published.pop("model_type"), pad_token_id=0, **published)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    embedded = model.get_input_embeddings().weight.numel()
    assert shape.embeddings == embedded
    counted = sum(weights.numel() for weights in model.parameters())
    assert shape.parameters - embedded == pytest.approx(counted - embedded, rel=2e-3)
    assert shape_of_config(config.to_dict()) == shape  # as save_pretrained would write it


@pytest.mark.slow
def test_granites_mamba_layers_are_counted_too() -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    published = {
        **MODELS["granite-4.0-350m"], "num_hidden_layers": 4, "mamba_n_heads": 32,
        "layer_types": ["mamba", "mamba", "mamba", "attention"],
    }  # fmt: skip
    config = AutoConfig.for_model(published["model_type"], pad_token_id=0, **{
        key: value for key, value in published.items() if key != "model_type"
    })  # fmt: skip
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    counted = sum(weights.numel() for weights in model.parameters())
    assert shape_of_config(config.to_dict()).parameters == pytest.approx(counted, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["smollm2-135m", "qwen3-4b", "gemma-3-270m"])
def test_an_adapter_is_counted_as_peft_makes_it(name: str) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    published = {**MODELS[name], "num_hidden_layers": 2}
    shape = shape_of_config(published)
    config = AutoConfig.for_model(published.pop("model_type"), pad_token_id=0, **published)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
        adapted = get_peft_model(model, LoraConfig(r=8, target_modules="all-linear"))
    made = sum(w.numel() for key, w in adapted.named_parameters() if "lora_" in key)
    assert adapter_weights(shape, 8) == made


def test_where_the_base_lies_decides_what_it_takes() -> None:
    shape = shape_of_config(MODELS["qwen3-4b"])

    def needed(weights: Weights, tokens: int = 4096, *, checkpointing: bool = True) -> float:
        return training_memory(shape, SETTINGS, weights, tokens, checkpointing=checkpointing)

    assert needed("nf4") < needed("bfloat16") < needed("float32")
    assert needed("bfloat16", 0) - needed("nf4", 0) == pytest.approx(
        (2 - 4.13 / 8) * (shape.parameters - shape.embeddings) - 2 * shape.embeddings
    )
    assert needed("bfloat16") < needed("bfloat16", checkpointing=False)
    # Neither a processor's chunks nor a GPU's kernel hold the scores of all tokens at once.
    words = [
        replace(shape, decoder=replace(shape.decoder, vocabulary=count))
        for count in (50_000, 250_000)
    ]
    grown = [
        training_memory(words[1], SETTINGS, weights, 1000, checkpointing=True)
        - training_memory(words[0], SETTINGS, weights, 1000, checkpointing=True)
        for weights in ("float32", "bfloat16")
    ]
    assert grown == [0.0, 0.0]


# Peaks of runs of SmolLM2-135M on a processor, as their manifests have them: how the base was held,
# checkpointing, tokens of the largest pack, GB.
MEASURED: list[tuple[Weights, bool, int, float]] = [
    ("float32", False, 1984, 3.56),
    ("float32", False, 3804, 5.71),
    ("float32", False, 1339, 2.86),
    ("float32", True, 3090, 3.18),
    ("float32", True, 3804, 3.45),
    ("autocast", False, 1984, 4.29),
    ("autocast", False, 1051, 3.04),
    ("autocast", True, 1984, 2.20),
]


@pytest.mark.parametrize(("weights", "checkpointing", "tokens", "measured"), MEASURED)
def test_estimates_hold_where_they_were_measured(
    weights: Weights, checkpointing: bool, tokens: int, measured: float
) -> None:
    shape = shape_of_config(MODELS["smollm2-135m"])
    found = training_memory(shape, SETTINGS, weights, tokens, checkpointing=checkpointing) / 1e9
    assert 0.95 * measured < found < (1.21 if weights == "autocast" else 1.05) * measured


def test_a_heap_has_gaps_only_between_tensors_that_lie_in_it() -> None:
    decoder = Decoder(10, 500, 250, 250, 3000)
    assert gap_bytes(decoder, 2000) == pytest.approx(0.7 * 4 * 2 * 4000 * 10 * 2000)
    assert gap_bytes(decoder, 3000) == pytest.approx(0.7 * 4 * 2 * 1000 * 10 * 3000)
    assert gap_bytes(decoder, 40_000) == 0


def test_only_what_is_computed_takes_time() -> None:
    def seconds(**training: object) -> float:
        found = estimate(config(training={"hardware": {"device": "cpu", **training}}))["sft"]
        assert found.seconds is not None
        return found.seconds - START_SECONDS

    plain, again = (seconds(gradient_checkpointing=on) for on in (False, True))
    assert 1.4 < again / plain < 1.5  # three forward passes for two, but for the output layer


def test_a_gpu_has_memory_but_no_time(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(MODELS["qwen3-0.6b"]))
    hardware = {"device": "cuda", "gradient_checkpointing": True}
    model = {"path": str(tmp_path)}
    plain = estimate(config(model=model, training={"hardware": hardware}))
    four = estimate(
        config(model=model, training={"hardware": hardware, "quantization": {"enabled": True}})
    )
    on_cpu = estimate(config(model=model, training={"hardware": {**hardware, "device": "cpu"}}))
    for stage in ("sft", "dpo"):
        assert plain[stage].seconds is None and on_cpu[stage].seconds is not None
        assert four[stage].memory < plain[stage].memory < on_cpu[stage].memory  # type: ignore[operator]


def test_work_grows_with_data_and_not_with_the_machine() -> None:
    small = estimate(config(data={"traces": 100, "pairs": 50}))
    large = estimate(config(data={"traces": 200, "pairs": 50}))
    assert large["sft"].tokens == 2 * small["sft"].tokens  # type: ignore[operator]
    assert large["dpo"] == small["dpo"]
    capped = estimate(config(training={"sft": {"max_steps": 1, "batch_size": 4}}))
    assert capped["sft"].tokens == pytest.approx(small["sft"].tokens / 25, rel=0.01)  # type: ignore[operator]


def test_memory_grows_with_what_is_held_at_once() -> None:
    narrow = estimate(config(training={"dpo": {"batch_size": 1}}, eval={"engine": {"parallel": 1}}))
    wide = estimate(config(training={"dpo": {"batch_size": 8}}, eval={"engine": {"parallel": 8}}))
    assert wide["dpo"].memory > narrow["dpo"].memory  # type: ignore[operator]
    # Seven more contexts of 2048 tokens: keys and values, two bytes each, 30 layers of 192.
    grown = wide["eval"].memory - narrow["eval"].memory  # type: ignore[operator]
    assert grown == 7 * 2048 * 30 * 192 * 2 * 2


def test_a_model_that_is_not_here_has_no_time() -> None:
    found = estimate(config(model={"path": "org/name"}))
    assert found["sft"].tokens is not None
    assert found["sft"].seconds is None
    assert found["data"].seconds is not None
