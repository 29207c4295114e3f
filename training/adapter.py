"""The LoRA adapter: making a new one, and loading one to go on from."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import set_seed

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.names import nearest
from tooldrill.training.model_folder import read_json
from tooldrill.training.safetensors_file import tensor_shapes
from tooldrill.training.settings import LoraSettings

# What LoraConfig calls the settings that have names of their own here.
_OWN = {
    "r": "rank", "lora_alpha": "alpha", "lora_dropout": "dropout", "target_modules": "targets",
    "use_rslora": "rslora", "use_dora": "dora", "init_lora_weights": "init",
    "rank_pattern": "rank_pattern", "alpha_pattern": "alpha_pattern",
}  # fmt: skip
# PEFT wants a pass over data for these; without it the first two are silently a plain LoRA.
_PREPARED = ("eva", "lora_ga", "corda")


def new_adapter(model: Any, settings: LoraSettings, seed: int) -> Any:
    """Wraps the model with a fresh adapter; the seed is set first, so that its weights repeat.

    Raises:
        TooldrillError: when the settings name a module that the model does not have, or that is no
            linear layer.
    """
    set_seed(seed)
    config = lora_config(settings)
    modules, head = dict(model.named_modules()), model.get_output_embeddings()
    try:
        adapted = get_peft_model(model, config)
    except (ValueError, RuntimeError, re.error) as error:
        raise TooldrillError(
            f"training.lora: {str(error).splitlines()[0]}",
            "targets are `all-linear`, or names of linear modules (q_proj, down_proj...)",
        ) from error
    _require_met(config, modules, adapted.targeted_module_names)
    for name in adapted.targeted_module_names:
        # Embeddings share their weights; TRL reads the output layer's past an adapter.
        if modules[name] is head or not isinstance(modules[name], torch.nn.Linear):
            last = name.rpartition(".")[2]
            raise TooldrillError(
                f"training.lora.targets: {last} takes no adapter, being no linear layer within",
                f"train it whole: training.lora.extra={{modules_to_save: [{last}]}}",
            )
    return adapted


def _require_met(config: LoraConfig, modules: dict[str, Any], adapted: list[str]) -> None:
    """Raises TooldrillError for a name that meets no module; PEFT passes over it in silence.

    Args:
        modules: the model's, by name; adapted: names of those with LoRA.
    """
    targets = config.target_modules if isinstance(config.target_modules, set | list) else ()
    linear = [name for name, module in modules.items() if isinstance(module, torch.nn.Linear)]
    exact = {"targets": sorted(targets), "extra.modules_to_save": config.modules_to_save or ()}
    for key, names in exact.items():
        for name in names:
            if not any(module == name or module.endswith(f".{name}") for module in modules):
                raise _unmet(key, name, linear)
    for key in ("rank_pattern", "alpha_pattern"):
        for pattern in getattr(config, key):
            # As PEFT matches them.
            if not any(re.match(rf"(.*\.)?({pattern})$", module) for module in adapted):
                raise _unmet(key, pattern, adapted)


def _unmet(key: str, name: str, modules: list[str]) -> TooldrillError:
    there = sorted({module.rpartition(".")[2] for module in modules})
    near = nearest(name, there)
    hint = f"did you mean {near}?" if near else f"there are {', '.join(there)}"
    return TooldrillError(f"training.lora.{key}: no module is named {name}", hint)


def lora_config(settings: LoraSettings) -> LoraConfig:
    """PEFT's own settings.

    Raises:
        TooldrillError: when PEFT does not know something, or not in this combination.
    """
    _require_kept(str(settings.init))
    for twice in sorted(settings.extra.keys() & _OWN.keys()):
        raise TooldrillError(
            f"training.lora.extra: {twice} has a setting of its own",
            f"set training.lora.{_OWN[twice]}",
        )
    known = {field.name for field in fields(LoraConfig)}
    unknown = sorted(settings.extra.keys() - known)
    if unknown:
        raise TooldrillError(
            f"training.lora.extra: peft.LoraConfig has no {unknown[0]}",
            f"did you mean {nearest(unknown[0], known) or 'another'}? See PEFT's LoraConfig",
        )
    own = {name: getattr(settings, setting) for name, setting in _OWN.items()}
    try:
        return LoraConfig(**{"bias": "none", "task_type": "CAUSAL_LM", **own, **settings.extra})
    except (TypeError, ValueError, ImportError) as error:
        raise TooldrillError(
            f"training.lora: {str(error).splitlines()[0]}", "see PEFT's LoraConfig for what fits"
        ) from error


def _require_kept(init: str) -> None:
    """Raises TooldrillError for an initialisation that would not be what is exported."""
    if init.startswith("pissa_niter"):
        raise TooldrillError(
            f"training.lora.init: {init} takes another part out of the weights at each loading",
            "use pissa, which always takes the same",
        )
    if init in _PREPARED:
        raise TooldrillError(
            f"training.lora.init: {init} is made from data before training, which is not done here",
            "use true, gaussian, pissa, olora or orthogonal",
        )


def load_adapter(model: Any, folder: Path) -> Any:
    """Wraps the model with a trained adapter that can be trained further.

    Raises:
        TooldrillError: when the folder holds no adapter, a pickled or broken one, or one of another
            model.
    """
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if not (folder / name).is_file():  # PEFT would look for a pickle, too
            raise TooldrillError(
                f"no adapter in {folder}: {name} is missing",
                "train one first: tooldrill train sft CONFIG",
            )
    read_json(folder / "adapter_config.json")
    tensor_shapes(folder / "adapter_model.safetensors")
    try:
        return PeftModel.from_pretrained(model, str(folder), is_trainable=True)
    except (RuntimeError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise TooldrillError(
            f"the adapter in {folder} does not fit the model: {str(error).splitlines()[0]}",
            "use the base model that it was trained on (model.path)",
        ) from error
