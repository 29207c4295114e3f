"""The base model in four bits (NF4) while an adapter is trained on it: QLoRA, arXiv:2305.14314.

Only for training: export merges the adapter into the base's own weights, not into these.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import torch

from tooldrill.agent.errors import TooldrillError
from tooldrill.training import base_model
from tooldrill.training.find_base import BaseModel
from tooldrill.training.settings import HardwareSettings, QuantizationSettings


def require_quantization(hardware: HardwareSettings) -> None:
    """Says so where four bits make no sense.

    Raises:
        TooldrillError: without a CUDA device, or without bitsandbytes.
    """
    if hardware.device not in (None, "cuda") and not str(hardware.device).startswith("cuda:"):
        where = f"training.hardware.device is {hardware.device}"
    elif not torch.cuda.is_available():
        where = "this machine has no CUDA device"
    else:
        where = None
    if where:
        raise TooldrillError(
            f"training.quantization: {where}; elsewhere NF4 saves little and computes slowly",
            "set training.quantization.enabled=false, or train on a CUDA machine",
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise TooldrillError(
            "training.quantization needs bitsandbytes", "pip install 'tooldrill[qlora]'"
        )


def load_quantized(base: BaseModel, settings: QuantizationSettings, dtype: str | None) -> Any:
    """The model with its linear layers in NF4, on the CUDA device, ready for an adapter.

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
    compute = getattr(torch, dtype or "bfloat16")
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=settings.double,
        bnb_4bit_compute_dtype=compute,
    )
    try:
        model = AutoModelForCausalLM.from_pretrained(
            base.folder, quantization_config=config, dtype=compute, device_map={"": 0}
        )
    except base_model.LOADING_ERRORS as error:
        raise base_model.cannot_load("model", base, error) from error
    return prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
