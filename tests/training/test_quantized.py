"""The base in four bits: the adapter learns what it would on the same weights unpacked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_llama import save_tiny

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.sets.build import build
from tooldrill.data.settings import DataSettings
from tooldrill.training import base_model, quantized_base
from tooldrill.training.adapter import new_adapter
from tooldrill.training.dpo import train_dpo
from tooldrill.training.find_base import BaseModel, resolve
from tooldrill.training.settings import LoraSettings, ModelSettings, TrainingSettings
from tooldrill.training.sft import train_sft

bitsandbytes = pytest.importorskip("bitsandbytes", reason="the extra qlora is not installed")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quantized")
    data = DataSettings(worlds=["files"], traces=8, pairs=8, tools=(2, 3), workers=1)
    build(data, folder / "set")
    save_tiny(folder / "tiny", max_position_embeddings=4096)
    return folder


def settings(dtype: str = "float32", **hardware: Any) -> TrainingSettings:
    return TrainingSettings.model_validate(
        {
            "lora": {"rank": 4, "alpha": 8},
            "quantization": {"enabled": True},
            "hardware": {"device": "cpu", "dtype": dtype, "threads": 1, "tokens": 4096, **hardware},
            "report_to": [],
            "sft": {"learning_rate": 1e-3, "max_steps": 2},
            "dpo": {"learning_rate": 1e-3, "max_steps": 2},
        }
    )


def unpacked(model: Any, base: BaseModel) -> Any:
    """The model's weights as they are after four bits, in plain layers."""
    plain = base_model.load_model(base)
    layers = dict(plain.named_modules())
    for name, layer in model.named_modules():
        if isinstance(layer, bitsandbytes.nn.Linear4bit):
            weights = bitsandbytes.functional.dequantize_4bit(
                layer.weight.data, layer.weight.quant_state
            )
            layers[name].weight.data.copy_(weights)
    return plain


def gradients(model: Any) -> tuple[float, dict[str, torch.Tensor]]:
    wrapped = new_adapter(model, LoraSettings(rank=4, init=False), 0).train()
    ids = torch.arange(60).view(2, 30)
    loss = wrapped(input_ids=ids, labels=ids).loss
    loss.backward()
    return loss.item(), {
        name: weights.grad for name, weights in wrapped.named_parameters() if weights.requires_grad
    }


def test_every_layer_of_the_adapter_gets_its_gradient(place: Path) -> None:
    base = resolve(ModelSettings(path=str(place / "tiny")))
    model = quantized_base.load_quantized(base, settings())
    plain = unpacked(model, base)
    with torch.no_grad():  # an evaluation must not change how it trains
        model.eval()(input_ids=torch.arange(20)[None])
    loss, found = gradients(model)
    wanted_loss, wanted = gradients(plain)
    assert loss == pytest.approx(wanted_loss, rel=1e-5)
    assert found.keys() == wanted.keys()
    for name, gradient in wanted.items():
        assert gradient.norm() > 0
        assert (found[name] - gradient).norm() / gradient.norm() < 1e-3, name


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_sft_and_dpo_share_prefixes_on_it(dtype: str, place: Path, tmp_path: Path) -> None:
    model = ModelSettings(path=str(place / "tiny"))
    wanted = settings(dtype, gradient_checkpointing=True)
    sft = train_sft(model, wanted, place / "set/sft.jsonl", tmp_path / "sft")
    dpo = train_dpo(
        model, wanted, place / "set/dpo.jsonl", tmp_path / "sft/adapter", tmp_path / "dpo"
    )
    for summary in (sft, dpo):
        assert summary.steps == 2
        assert summary.choices[-1] == "shared prefixes: computed once"
    assert dpo.curve[1]["rewards/margins"] != 0


def test_a_gguf_is_refused(tmp_path: Path) -> None:
    base = BaseModel("small", str(tmp_path), "small.gguf")
    with pytest.raises(TooldrillError, match=r"small\.gguf is a GGUF"):
        quantized_base.load_quantized(base, settings())
