"""A look at a PEFT folder before anything large is loaded: whole, finite, and of a kind to merge.

Whether it fits a base is `merge`'s question; its GGUF is made by the package `adapter`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from tooldrill.agent.errors import TooldrillError

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
# They leave the base as it is, or (PiSSA, OLoRA) take out of it what can be found again.
_REPEATABLE = frozenset({"true", "false", "gaussian", "eva", "orthogonal", "pissa", "olora"})

Shapes = dict[str, tuple[int, ...]]


def read_adapter_folder(folder: Path) -> Shapes:
    """Shapes of the adapter's tensors by their PEFT names.

    Raises:
        TooldrillError: when the folder is no adapter, is broken, holds what is no number, or cannot
            be merged.
    """
    missing = next((name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()), None)
    if missing:
        raise TooldrillError(
            f"no adapter in {folder}: {missing} is missing",
            "train one: tooldrill train sft CONFIG",
        )
    _require_mergeable(folder)
    shapes: Shapes = {}
    try:
        with safe_open(str(folder / WEIGHTS), framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - a handle, no dict
                weights = file.get_tensor(name)
                if not weights.isfinite().all():
                    raise TooldrillError(
                        f"{name} of the adapter in {folder} holds a value that is no number",
                        "train again with a lower learning_rate: the weights have run away",
                    )
                shapes[name] = tuple(weights.shape)
    except (SafetensorError, OSError) as error:
        raise _broken(folder / WEIGHTS, error) from error
    return shapes


def _require_mergeable(folder: Path) -> None:
    """Raises TooldrillError for a configuration whose adapter has no place in the weights."""
    config = _read_config(folder / CONFIG)
    kind = config.get("peft_type")
    if kind != "LORA":
        raise TooldrillError(
            f"the adapter in {folder} is a {kind}, and only LoRA is merged here",
            "merge it with PEFT, save the model, and give that folder as model.path",
        )
    if config.get("alora_invocation_tokens"):
        raise TooldrillError(
            f"the adapter in {folder} is an activated LoRA, which works on a part of the "
            "conversation only",
            "run it beside its base in llama-server: convert_lora_to_gguf.py of llama.cpp",
        )
    init = str(config.get("init_lora_weights", True)).lower()
    if init not in _REPEATABLE:
        raise TooldrillError(
            f"the adapter in {folder} began as {init}, which changed the base in a way that cannot "
            "be repeated",
            "save it as a plain LoRA with PEFT: path_initial_model_for_weight_conversion",
        )


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _broken(path, error) from error
    if not isinstance(config, dict):
        raise _broken(path, ValueError("it is no JSON object"))
    return config


def _broken(path: Path, error: Exception) -> TooldrillError:
    return TooldrillError(
        f"{path} is broken: {str(error).splitlines()[0]}",
        "train it again: tooldrill train sft CONFIG --force",
    )
