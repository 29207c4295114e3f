"""A model that is never in memory as a whole: its layers are read, and merged, as they are needed.

So a model of 16 GB is exported on a machine with less, and a small one beside little else. The
arithmetic is PEFT's, a layer at a time, on the base in float32. What cannot be had so (see
`open_streamed`) is merged in memory by `merge`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from accelerate.hooks import attach_align_device_hook
from peft import LoraConfig, PeftConfig, PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.base_weights import BaseWeights, base_folder, weight_files
from tooldrill.export.lazy_tensor import lazy_tensor
from tooldrill.training.base_model import answering_peft
from tooldrill.training.find_base import BaseModel
from tooldrill.training.quiet import quiet_transformers

ADAPTER_WEIGHTS = "adapter_model.safetensors"
_PREFIX = "base_model.model."
# Initialisations that leave the base as it is; others subtract from it when PEFT loads them.
_HARMLESS = (True, False, "gaussian", "orthogonal")
_UNREADABLE = (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError)


def open_streamed(base: BaseModel, adapter: Path | None) -> Any | None:
    """The merged model in fp32, as transformers has it, reading its weights while it computes.

    Its `state_dict` holds lazy tensors (see `lazy_tensor`).

    Returns:
        None when it has to be in memory: for a base that is not stored tensor by tensor in
        safetensors (a large GGUF, a quantized checkpoint), and for an adapter that is more than a
        plain LoRA (DoRA, PiSSA, modules trained whole).
    """
    found = _opened(base, adapter)
    if found is None:
        return None
    model, weights, layers = found
    merged = Merged(weights, layers)
    state = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    lazy = {name: lazy_tensor(shape, merged.loader(name)) for name, shape in state.items()}
    model.state_dict = lambda *_args, **_named: dict(lazy)
    _attach(model, merged)
    return model


def open_adapted(base: BaseModel, adapter: Path) -> Any | None:
    """The base with the adapter beside it, unmerged, as PEFT computes it; weights as they are read.

    Returns:
        None as of `open_streamed`.
    """
    found = _opened(base, adapter)
    if found is None:
        return None
    model, weights, layers = found
    for name, layer in layers.items():
        parent, _, own = name.rpartition(".")
        setattr(model.get_submodule(parent), own, layer)
    matrices = {n: p.detach() for n, p in model.named_parameters() if not p.is_meta}
    _attach(model, _Beside(weights, matrices))
    return model


class Merged(Mapping[str, torch.Tensor]):
    """Weights by name, in fp32, with the adapter's update added as each is asked for."""

    def __init__(self, weights: Mapping[str, torch.Tensor], layers: Mapping[str, Any]) -> None:
        self._weights = weights
        self._layers = layers

    def __getitem__(self, name: str) -> torch.Tensor:
        stored = name
        if name not in self._weights and name == "lm_head.weight":
            stored = "model.embed_tokens.weight"
        weights = self._weights[stored]
        layer = self._layers.get(name.removesuffix(".weight")) if name.endswith(".weight") else None
        return weights if layer is None else _merge(layer, weights)

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)

    def loader(self, name: str) -> Any:
        return lambda: self[name]


class _Beside(Mapping[str, torch.Tensor]):
    """Weights of the base, and the adapter's matrices, by the names of a model that has both."""

    def __init__(
        self, weights: Mapping[str, torch.Tensor], matrices: Mapping[str, torch.Tensor]
    ) -> None:
        self._merged = Merged(weights, {})
        self._matrices = matrices

    def __getitem__(self, name: str) -> torch.Tensor:
        own = self._matrices.get(name)
        return self._merged[name.replace(".base_layer.", ".")] if own is None else own

    def __iter__(self) -> Iterator[str]:
        return iter((*self._merged, *self._matrices))

    def __len__(self) -> int:
        return len(self._merged) + len(self._matrices)


def _opened(
    base: BaseModel, adapter: Path | None
) -> tuple[Any, BaseWeights, dict[str, Any]] | None:
    """The empty model, its weights, and PEFT's layers by the names of what they adapt."""
    try:
        with quiet_transformers():
            opened = _empty(base)
            if opened is None:
                return None
            layers = {} if adapter is None else _layers(opened[0], adapter)
    except (*_UNREADABLE, TooldrillError):
        # Whoever loads it as a whole tells what is wrong with it.
        return None
    return None if layers is None else (*opened, layers)


def _attach(model: Any, weights: Mapping[str, torch.Tensor]) -> None:
    """Lets every layer read its weights before it computes, and drop them after."""
    attach_align_device_hook(
        model, execution_device=torch.device("cpu"), offload=True, weights_map=weights,
        preload_module_classes=list(getattr(model, "_no_split_modules", None) or ()),
    )  # fmt: skip


def _empty(base: BaseModel) -> tuple[Any, BaseWeights] | None:
    """The model without its weights, and the weights; None when these are stored otherwise."""
    folder = base_folder(base)
    files = weight_files(folder) if folder is not None else None
    if files is None:
        return None
    config = AutoConfig.from_pretrained(folder)
    if getattr(config, "quantization_config", None) is not None:
        return None
    with init_empty_weights(include_buffers=False):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    weights = BaseWeights(files)
    tied = model.get_output_embeddings() is None or "model.embed_tokens.weight" in weights
    return (model.eval(), weights) if tied and weights.fit(model.state_dict(), config) else None


def _layers(model: Any, adapter: Path) -> dict[str, Any] | None:
    """PEFT's layers by the names of the modules they adapt, with their matrices in memory.

    None for what is more than a plain LoRA, or does not fit the model.
    """
    config = PeftConfig.from_pretrained(str(adapter))
    matrices = load_file(adapter / ADAPTER_WEIGHTS)
    if not _is_plain(config) or not all(_is_matrix(name) for name in matrices):
        return None
    adapted = PeftModel(answering_peft(copy.deepcopy(model)), config, low_cpu_mem_usage=True)
    # PEFT itself puts an adapter where its base is: here that is nowhere.
    named = {_in_peft(name): values.to(torch.float32) for name, values in matrices.items()}
    known = dict(adapted.named_parameters())
    if any(name not in known or known[name].shape != named[name].shape for name in named):
        return None
    adapted.load_state_dict(named, strict=False, assign=True)
    inner = adapted.base_model.model
    found = {n: m for n, m in inner.named_modules() if isinstance(m, BaseTunerLayer)}
    own = [(name, p) for name, p in inner.named_parameters() if ".lora_" in name]
    if any(p.is_meta or not p.isfinite().all() for _, p in own):
        return None
    # An update of the output alone would reach the embeddings that share its weights.
    if any(model.get_submodule(name) is model.get_output_embeddings() for name in found):
        return None
    return {name: layer.requires_grad_(False) for name, layer in found.items()}


def _is_plain(config: Any) -> bool:
    return (
        isinstance(config, LoraConfig)
        and config.bias == "none"
        and not (config.use_dora or config.lora_bias or config.modules_to_save)
        and not (config.layer_replication or getattr(config, "target_parameters", None))
        and not (config.trainable_token_indices or config.fan_in_fan_out)
        and config.init_lora_weights in _HARMLESS
    )


def _is_matrix(name: str) -> bool:
    return name.endswith((".lora_A.weight", ".lora_B.weight"))


def _in_peft(name: str) -> str:
    return name.removesuffix(".weight") + ".default.weight"


@torch.no_grad()
def _merge(layer: Any, weights: torch.Tensor) -> torch.Tensor:
    """The layer's weights with its update, which PEFT adds; the layer is left as it was."""
    inner = layer.get_base_layer()
    empty = inner.weight
    # What was read is mapped from the file; PEFT adds in place. Whoever stores the sum checks it.
    inner.weight = torch.nn.Parameter(weights.clone(), requires_grad=False)
    try:
        layer.merge()
        merged: torch.Tensor = inner.weight.data
        return merged
    finally:
        inner.weight = empty
        layer.merged_adapters.clear()
