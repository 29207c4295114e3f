"""Merging a LoRA adapter into the base's weights, in fp32 on the CPU.

PEFT does the arithmetic. What is added: an adapter of another base, or of which PEFT would pass
over a part in silence, is refused in one line; and an output layer that shares its weights with the
embeddings gets its own before the adapter changes it. What merging changes is measured by
`merging`; writing files is `gguf_writer`'s work.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel, get_peft_model_state_dict

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.adapter_folder import Shapes, read_adapter_folder
from tooldrill.export.dequantize import QuantizedTraining, dequantize
from tooldrill.training.base_model import load_model
from tooldrill.training.find_base import BaseModel
from tooldrill.training.quiet import quiet_warnings

_PREFIX = "base_model.model."
# What PEFT and safetensors raise for an adapter that they cannot load or merge.
_PEFT_ERRORS = (ValueError, RuntimeError, KeyError, TypeError, AttributeError)


def merged_model(base: BaseModel, adapter: Path | None) -> Any:
    """The base with the adapter's update added; None gives the base itself.

    Raises:
        TooldrillError: as `tuned_model` and `merge`.
    """
    if adapter is None:
        return load_model(base, "float32").eval()
    return merge(tuned_model(base, adapter), base, adapter)


def tuned_model(base: BaseModel, adapter: Path, quantized: QuantizedTraining | None = None) -> Any:
    """The base with the adapter beside its weights, as PEFT computes it.

    Args:
        quantized: the base's weights are first rounded as they were in training.

    Raises:
        TooldrillError: when the adapter is missing, broken, or does not fit the base.
    """
    shapes = read_adapter_folder(adapter)
    model = load_model(base, "float32")
    _check_fit(shapes, model, base, adapter)
    if quantized is not None:
        dequantize(model, quantized)
    _give_output_its_own(model, shapes)
    try:
        with quiet_warnings():
            tuned = PeftModel.from_pretrained(model, str(adapter)).eval()
            known = get_peft_model_state_dict(tuned, save_embedding_layers=False)
    except _PEFT_ERRORS as error:
        raise _misfit(adapter, base, str(error).splitlines()[0]) from error
    lacking = next((name for name in known if name not in shapes), None)
    if lacking:
        raise _misfit(adapter, base, f"its file lacks {lacking}")
    foreign = next((name for name in shapes if ".lora_" in name and name not in known), None)
    if foreign:
        raise _misfit(adapter, base, f"its configuration has no place for {foreign}")
    return tuned


def merge(tuned: Any, base: BaseModel, adapter: Path) -> Any:
    """The plain model with the adapter's update in its weights; `tuned` is used up.

    Raises:
        TooldrillError: when the update is no number, or PEFT cannot merge this adapter.
    """
    try:
        with quiet_warnings():
            merged = tuned.merge_and_unload(safe_merge=True).eval()
    except _PEFT_ERRORS as error:
        raise TooldrillError(
            f"the adapter in {adapter} cannot be merged into {base.name}: "
            f"{str(error).splitlines()[0]}",
            "train a plain LoRA: training.lora.extra={}",
        ) from error
    _say_whether_tied(merged)
    return merged


def _give_output_its_own(model: Any, shapes: Shapes) -> None:
    """Parts tied output weights from the embeddings where an adapter is for the output alone.

    Its update would else be added to the embeddings, too.
    """
    head, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    if head is None or head.weight is not embeddings.weight:
        return
    name = next(name for name, module in model.named_modules() if module is head)
    if any(found.startswith(f"{_PREFIX}{name}.lora_") for found in shapes):
        head.weight = torch.nn.Parameter(head.weight.detach().clone(), requires_grad=False)
        _set_tied(model, tied=False)


def _say_whether_tied(model: Any) -> None:
    """Makes the configuration true: an output that was trained whole has weights of its own."""
    head, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    if head is not None and embeddings is not None:
        _set_tied(model, tied=head.weight.data_ptr() == embeddings.weight.data_ptr())


def _set_tied(model: Any, *, tied: bool) -> None:
    # In a multimodal model, the text part's configuration is another object.
    for config in (model.config, model.config.get_text_config()):
        config.tie_word_embeddings = tied


def _check_fit(shapes: Shapes, model: Any, base: BaseModel, adapter: Path) -> None:
    """Every LoRA pair must meet a linear layer of its own width."""
    layers = dict(model.named_modules())
    for name, shape in shapes.items():
        path, found, _ = name.removeprefix(_PREFIX).partition(".lora_")
        if not found:
            continue
        layer = layers.get(path)
        if not isinstance(layer, torch.nn.Linear):
            raise _misfit(adapter, base, f"the base has no linear layer {path}")
        sides = {".lora_A": ("inputs", 1, layer.in_features),
                 ".lora_B.weight": ("outputs", 0, layer.out_features)}  # fmt: skip
        for kind, (side, axis, width) in sides.items():
            if kind in name and shape[axis] != width:
                raise _misfit(
                    adapter, base, f"{path} has {width} {side}, the adapter expects {shape[axis]}"
                )


def _misfit(adapter: Path, base: BaseModel, reason: str) -> TooldrillError:
    return TooldrillError(
        f"the adapter in {adapter} does not fit {base.name}: {reason}",
        "set model.path to the base it was trained on (base_model_name_or_path in its "
        "adapter_config.json)",
    )
