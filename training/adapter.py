"""The LoRA adapter: making a new one, and loading one to go on from."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from transformers import set_seed

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.names import nearest
from tooldrill.training.settings import LoraSettings


def new_adapter(model: Any, settings: LoraSettings, seed: int) -> Any:
    """Wraps the model with a fresh adapter; the seed is set first, so that its weights repeat.

    Raises:
        TooldrillError: when no module has one of the names in `targets`.
    """
    set_seed(seed)
    try:
        return get_peft_model(model, lora_config(settings))
    except ValueError as error:
        raise TooldrillError(
            f"training.lora.targets: {str(error).splitlines()[0]}",
            "use `all-linear`, or names of linear modules (q_proj, down_proj...)",
        ) from error


def lora_config(settings: LoraSettings) -> LoraConfig:
    """PEFT's own settings.

    Raises:
        TooldrillError: when PEFT does not know something, or not in this combination.
    """
    known = {field.name for field in fields(LoraConfig)}
    unknown = sorted(settings.extra.keys() - known)
    if unknown:
        raise TooldrillError(
            f"training.lora.extra: peft.LoraConfig has no {unknown[0]}",
            f"did you mean {nearest(unknown[0], known) or 'another'}? See PEFT's LoraConfig",
        )
    own = {
        "r": settings.rank,
        "lora_alpha": settings.alpha,
        "lora_dropout": settings.dropout,
        "target_modules": settings.targets,
        "use_rslora": settings.rslora,
        "use_dora": settings.dora,
        "init_lora_weights": settings.init,
        "rank_pattern": settings.rank_pattern,
        "alpha_pattern": settings.alpha_pattern,
        "bias": "none",
        "task_type": "CAUSAL_LM",
    }
    try:
        return LoraConfig(**{**own, **settings.extra})
    except (TypeError, ValueError, ImportError) as error:
        raise TooldrillError(
            f"training.lora: {str(error).splitlines()[0]}", "see PEFT's LoraConfig for what fits"
        ) from error


def load_adapter(model: Any, folder: Path) -> Any:
    """Wraps the model with a trained adapter that can be trained further.

    Raises:
        TooldrillError: when the folder holds no adapter, or one of another model.
    """
    if not (folder / "adapter_config.json").is_file():
        raise TooldrillError(
            f"no adapter in {folder}", "train one first: tooldrill train sft CONFIG"
        )
    try:
        return PeftModel.from_pretrained(model, str(folder), is_trainable=True)
    except (RuntimeError, ValueError) as error:
        raise TooldrillError(
            f"the adapter in {folder} does not fit the model: {str(error).splitlines()[0]}",
            "use the base model that it was trained on (model.path)",
        ) from error
