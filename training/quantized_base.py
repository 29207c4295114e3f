"""The base model in four bits (NF4) while an adapter is trained on it: QLoRA, arXiv:2305.14314.

Only for training: export merges the adapter into the base's own weights, unless it is asked for
these. That there were such is written beside the adapter.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tooldrill.agent.atomic import write_text
from tooldrill.agent.errors import TooldrillError
from tooldrill.training import base_model
from tooldrill.training.find_base import BaseModel
from tooldrill.training.probe import best_device, best_dtype
from tooldrill.training.processes import own_device
from tooldrill.training.settings import HardwareSettings, StageSettings, TrainingSettings

QUANTIZATION = "base_quantization.json"
_INSTALL = "pip install 'tooldrill[qlora]'"


def require_quantization(hardware: HardwareSettings) -> None:
    """Says so where four bits make no sense, before anything is loaded.

    On a CPU they do when it is named: the weights take an eighth of the memory, no step is faster.

    Raises:
        TooldrillError: without a CUDA device, or without bitsandbytes.
    """
    device = hardware.device or best_device()
    if not device.startswith("cuda") and hardware.device != "cpu":
        raise TooldrillError(
            f"training.quantization: there is no CUDA device here, only {device}",
            "set training.quantization.enabled=false; or training.hardware.device=cpu, if memory "
            "is short: four bits save it there, too, but no time",
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise TooldrillError("training.quantization needs bitsandbytes", _INSTALL)


def require_optimizer(stage: StageSettings, hardware: HardwareSettings) -> None:
    """Says so where an optimizer of bitsandbytes cannot work, before anything is loaded.

    Raises:
        TooldrillError: without CUDA, or without bitsandbytes.
    """
    name = stage.optimizer
    if not is_bitsandbytes(name):
        return
    device = hardware.device or best_device()
    if not device.startswith("cuda"):
        raise TooldrillError(
            f"optimizer {name} is bitsandbytes' and needs a CUDA device, and this is {device}",
            "set optimizer: adamw_torch, whose states for an adapter are small",
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise TooldrillError(f"optimizer {name} needs bitsandbytes", _INSTALL)


def is_bitsandbytes(optimizer: str) -> bool:
    """Whether Transformers takes an optimizer from bitsandbytes; those with torch are torchao's."""
    return "torch" not in optimizer and (
        "8bit" in optimizer
        or "bnb" in optimizer
        or optimizer.startswith(("paged_", "ademamix", "lion"))
    )


def load_quantized(base: BaseModel, settings: TrainingSettings) -> Any:
    """The model with its linear layers in NF4, on its device, ready for an adapter.

    Raises:
        TooldrillError: as `base_model.load_model`, and for a GGUF.
    """
    from peft import prepare_model_for_kbit_training
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    if base.gguf_path:
        raise TooldrillError(
            f"training.quantization: {base.gguf_path.name} is a GGUF",
            "give the model's safetensors folder or hub name as model.path",
        )
    device = settings.hardware.device or best_device()
    compute = getattr(torch, settings.hardware.dtype or best_dtype(device)[0])
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=settings.quantization.double,
        bnb_4bit_compute_dtype=compute,
    )
    with base_model.failures_told("model", base):
        model = AutoModelForCausalLM.from_pretrained(
            base.folder,
            quantization_config=config,
            dtype=compute,
            device_map={"": own_device(device)},
            **base_model.only_trusted(base),
        )
    if device == "cpu":
        _keep_trainable(model)
    base_model.answering_peft(model)
    return prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)


def keep_quantization(model: Any, adapter: Path) -> None:
    """Writes beside an adapter how its base was quantized, where it was: export reads it."""
    config = getattr(model.config, "quantization_config", None)
    if config is not None and hasattr(config, "bnb_4bit_quant_type"):
        write_text(adapter / QUANTIZATION, json.dumps(config.to_dict(), indent=1) + "\n")


@contextmanager
def computing_in_float32(model: Any) -> Iterator[None]:
    """Four-bit layers compute in float32 in the block, whatever they are set to.

    Two ways of computing are compared there; bfloat16 would blur the comparison.
    """
    layers = [m for m in model.modules() if getattr(m, "compute_dtype", None) is not None]
    before = [layer.compute_dtype for layer in layers]
    for layer in layers:
        layer.compute_dtype = torch.float32
    try:
        yield
    finally:
        for layer, dtype in zip(layers, before, strict=True):
            layer.compute_dtype = dtype


def _keep_trainable(model: Any) -> None:
    """Forbids bitsandbytes to repack the weights for inference on processors with bfloat16.

    It does so at the first evaluation (here: trying shared prefixes, the reference of DPO) and has
    no backward pass through what it makes: the adapter would learn nothing but its last layer.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
