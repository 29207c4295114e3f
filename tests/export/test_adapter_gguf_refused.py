"""What llama.cpp's LoRA cannot say, or what is broken, ends in one line and leaves no file."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from random_adapters import save_adapter
from safetensors.torch import load_file, save_file
from tiny_families import SHAPE, make_family
from tiny_llama import make_tokenizer
from transformers import AutoConfig, AutoModelForCausalLM

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.adapter.making import make_adapter
from tooldrill.export.adapter.unsupported import MERGED, AdapterUnsupportedError
from tooldrill.training.find_base import BaseModel

CONVOLVED = [("conv", "full_attention")[kind] for kind in (0, 1, 0, 0, 1)]
QUERY = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
BASE = BaseModel("tiny", "org/tiny")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return make_tokenizer()


@pytest.fixture(scope="module")
def good(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain adapter of a tiny llama, for tests to spoil copies of."""
    folder = tmp_path_factory.mktemp("good")
    save_adapter(make_family("llama", tokenizer), folder / "adapter")
    return folder / "adapter"


@pytest.fixture
def spoiled(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "adapter"))


def refused(adapter: Path, model: Any, out: Path) -> TooldrillError:
    with pytest.raises(TooldrillError) as raised:
        make_adapter(adapter, BASE, model, out / "lora.gguf", name="x")
    assert not (out / "lora.gguf").exists()
    assert "\n" not in raised.value.message + raised.value.next_step
    return raised.value


@pytest.fixture(scope="module")
def llama(tokenizer: Any) -> Any:
    return make_family("llama", tokenizer)


FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"use_dora": True}, "it is a DoRA"),
    ({"modules_to_save": ["lm_head"]}, "replaces whole modules"),
    ({"trainable_token_indices": [3]}, "embeddings of single tokens"),
    ({"lora_bias": True}, "its LoRA layers have biases"),
    ({"bias": "lora_only"}, r"trained biases \(bias: lora_only\)"),
    ({"fan_in_fan_out": True}, "stored transposed"),
    ({"layer_replication": [[0, 2], [1, 3]]}, "repeats layers"),
    ({"target_parameters": ["mlp.gate_proj.weight"]}, "no linear layer"),
    ({"use_qalora": True}, "pools the inputs"),
    ({"peft_type": "LOHA"}, "it is no LoRA"),
    ({"init_lora_weights": "corda"}, "'corda' changed the base"),
    ({"init_lora_weights": "loftq"}, "'loftq' changed the base"),
    ({"init_lora_weights": "lora_ga"}, "'lora_ga' changed the base"),
    ({"init_lora_weights": "pissa_niter_4"}, "'pissa_niter_4' changed the base"),
    ({"kasa_config": {"beta": 1}}, "it sets kasa_config"),
    ({"from_the_future": 7}, "it sets from_the_future"),
]


@pytest.mark.parametrize(("fields", "reason"), FIELDS)
def test_what_is_more_than_a_plain_lora_is_refused_with_the_reason(
    fields: dict[str, Any], reason: str, spoiled: Path, llama: Any, tmp_path: Path
) -> None:
    path = spoiled / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))
    error = refused(spoiled, llama, tmp_path)
    assert isinstance(error, AdapterUnsupportedError)
    assert re.search(reason, error.message)
    assert MERGED in error.next_step


def test_an_activated_lora_is_left_to_llama_cpps_own_script(
    spoiled: Path, llama: Any, tmp_path: Path
) -> None:
    path = spoiled / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "alora_invocation_tokens": [1, 2]}))
    error = refused(spoiled, llama, tmp_path)
    assert "an activated LoRA" in error.message
    assert "convert_lora_to_gguf.py" in error.next_step


@pytest.mark.parametrize(
    ("kind", "own", "config", "reason"),
    [
        ("llama", {}, {"use_dora": True}, "it is a DoRA"),
        ("llama", {}, {"modules_to_save": ["embed_tokens"]}, "replaces whole modules"),
        ("llama", {"attention_bias": True}, {"bias": "all"}, "trained biases"),
        ("llama", {}, {"target_modules": ["lm_head"]}, "embeddings and output are one tensor"),
        ("llama", {}, {"target_modules": ["embed_tokens"]}, "embeddings and output are one tensor"),
        (
            "lfm2",
            {"layer_types": CONVOLVED},
            {"target_modules": ["conv.conv"], "r": 64},
            "a convolution",
        ),
    ],
)
def test_adapters_of_peft_that_are_more_are_refused(
    kind: str, own: dict[str, Any], config: dict[str, Any], reason: str, tokenizer: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    model = make_family(kind, tokenizer, **own)
    save_adapter(model, tmp_path / "adapter", **config)
    error = refused(tmp_path / "adapter", make_family(kind, tokenizer, **own), tmp_path)
    assert isinstance(error, AdapterUnsupportedError)
    assert reason in error.message


def test_a_family_that_is_not_written_is_refused(good: Path, tmp_path: Path) -> None:
    ids = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 1)
    config = AutoConfig.for_model("gpt2", **{**SHAPE, **ids, "n_embd": 32, "vocab_size": 100})
    error = refused(good, AutoModelForCausalLM.from_config(config), tmp_path)
    assert isinstance(error, AdapterUnsupportedError)
    assert "convert_lora_to_gguf.py" in error.next_step


def save_weights(folder: Path, change: Any) -> None:
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def put(name: str, value: Any) -> Any:
    return lambda tensors: tensors.update({name: value})


TENSORS: list[tuple[Any, str]] = [
    (put(QUERY.replace("lora_A.weight", "lora_magnitude_vector"), torch.ones(64)), "it is a DoRA"),
    (put("base_model.model.lm_head.weight", torch.ones(4, 4)), "which is no LoRA matrix"),
    (put(QUERY, torch.full((4, 64), torch.nan)), "no number"),
    (put(QUERY, torch.full((4, 64), torch.inf)), "no number"),
    (put(QUERY, torch.ones(4, 64, dtype=torch.int8)), "stored as torch.int8"),
    (put(QUERY, torch.ones(4, 63)), "the adapter does not fit the base"),
    (put(QUERY, torch.ones(5, 64)), "its rank is 4"),
    (put(QUERY, torch.ones(0, 64)), "its rank is 4"),
    (put(QUERY, torch.ones(64)), "its rank is 4"),
    (put(QUERY, torch.ones(4, 64, 1, 1)), "a convolution"),
    (lambda tensors: tensors.pop(QUERY), "no pair of matrices"),
    (lambda tensors: tensors.clear(), "no LoRA matrices"),
    (
        lambda tensors: tensors.update(
            {name.replace("layers.4", "layers.5"): tensors.pop(name) for name in list(tensors)}
        ),
        "no layer model.layers.5",
    ),
]


@pytest.mark.parametrize(("change", "reason"), TENSORS)
def test_tensors_that_are_none_or_do_not_belong_end_in_one_line(
    change: Any, reason: str, spoiled: Path, llama: Any, tmp_path: Path
) -> None:
    save_weights(spoiled, change)
    assert reason in refused(spoiled, llama, tmp_path).message


CONFIGS: list[tuple[str | bytes, str]] = [
    ("", "no adapter's configuration"),
    ("[1]", "it is no JSON object"),
    (b"\xff\xfe", "no adapter's configuration"),
    ("[" * 100_000, "no adapter's configuration"),
    ('{"peft_type": "LORA"}', "r: Field required"),
    ('{"peft_type": "LORA", "r": 0, "lora_alpha": 8}', "a rank is less than 1"),
    ('{"peft_type": "LORA", "r": 4, "lora_alpha": NaN}', "lora_alpha: "),
    ('{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "rank_pattern": {"q": -1}}', "less than 1"),
    ('{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "rank_pattern": {"(": 2}}', "pattern '('"),
    ('{"peft_type": "LORA", "r": [4], "lora_alpha": 8}', "r: "),
]


@pytest.mark.parametrize(("text", "reason"), CONFIGS)
def test_a_broken_configuration_ends_in_one_line(
    text: str | bytes, reason: str, spoiled: Path, llama: Any, tmp_path: Path
) -> None:
    raw = text if isinstance(text, bytes) else text.encode()
    (spoiled / "adapter_config.json").write_bytes(raw)
    assert reason in refused(spoiled, llama, tmp_path).message


@pytest.mark.parametrize("size", [0, 7, 100, 4000])
def test_a_truncated_file_ends_in_one_line(
    size: int, spoiled: Path, llama: Any, tmp_path: Path
) -> None:
    path = spoiled / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    assert "adapter_model.safetensors is broken" in refused(spoiled, llama, tmp_path).message
    path.unlink()
    path.with_suffix(".bin").write_bytes(b"a pickle")
    assert "is missing" in refused(spoiled, llama, tmp_path).message


def test_saved_base_weights_that_are_not_the_bases_are_refused(
    tokenizer: Any, tmp_path: Path
) -> None:
    own = {"tie_word_embeddings": False}
    model = make_family("llama", tokenizer, **own)
    save_adapter(model, tmp_path / "adapter", target_modules=["embed_tokens", "q_proj"])
    base = make_family("llama", tokenizer, **own)
    made = make_adapter(tmp_path / "adapter", BASE, base, tmp_path / "good.gguf", name="x")
    assert made.tensors == 6
    with torch.no_grad():
        base.model.embed_tokens.weight[3, 3] += 1
    error = refused(tmp_path / "adapter", base, tmp_path)
    assert "brings weights of its own for model.embed_tokens" in error.message
