"""Merging a LoRA adapter into the full-precision base.

PEFT does the arithmetic. What is added is a look at the adapter before anything is loaded, so that
an adapter trained on another base is refused in one line. Writing files is `gguf_writer`'s work.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors import SafetensorError, safe_open

from tooldrill.agent.errors import TooldrillError
from tooldrill.training.base_model import load_model
from tooldrill.training.find_base import BaseModel

ADAPTER_WEIGHTS = "adapter_model.safetensors"
_PREFIX = "base_model.model."


def merged_model(base: BaseModel, adapter: Path | None) -> Any:
    """The base in fp32 on the CPU with the adapter's update added; None gives the base itself.

    Raises:
        TooldrillError: when the adapter is missing, broken, or does not fit the base.
    """
    shapes = _read_shapes(adapter) if adapter else {}
    model = load_model(base, "float32")
    if adapter is None:
        return model.eval()
    _check_fit(shapes, model, base, adapter)
    try:
        merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(safe_merge=True)
    except (ValueError, RuntimeError, KeyError, TypeError) as error:
        raise _misfit(adapter, base, str(error).splitlines()[0]) from error
    return merged.eval()


def _read_shapes(adapter: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the adapter's tensors by their PEFT names."""
    missing = next(
        (n for n in ("adapter_config.json", ADAPTER_WEIGHTS) if not (adapter / n).is_file()), None
    )
    if missing:
        raise TooldrillError(
            f"no adapter in {adapter}: {missing} is missing",
            "train one: tooldrill train sft CONFIG",
        )
    try:
        with safe_open(str(adapter / ADAPTER_WEIGHTS), framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise TooldrillError(
            f"{adapter / ADAPTER_WEIGHTS} is broken: {error}",
            "train it again: tooldrill train sft CONFIG --force",
        ) from error


def _check_fit(
    shapes: dict[str, tuple[int, ...]], model: Any, base: BaseModel, adapter: Path
) -> None:
    """Every LoRA pair must meet a linear layer of its own width."""
    layers = dict(model.named_modules())
    for name, shape in shapes.items():
        path, found, _ = name.removeprefix(_PREFIX).partition(".lora_")
        if not found:
            continue
        layer = layers.get(path)
        if not isinstance(layer, torch.nn.Linear):
            raise _misfit(adapter, base, f"the base has no linear layer {path}")
        side, width = (
            ("inputs", layer.in_features) if ".lora_A" in name else ("outputs", layer.out_features)
        )
        given = shape[1] if ".lora_A" in name else shape[0]
        if given != width:
            raise _misfit(adapter, base, f"{path} has {width} {side}, the adapter expects {given}")


def _misfit(adapter: Path, base: BaseModel, reason: str) -> TooldrillError:
    return TooldrillError(
        f"the adapter in {adapter} does not fit {base.name}: {reason}",
        "set model.path to the base it was trained on (base_model_name_or_path in its "
        "adapter_config.json)",
    )
