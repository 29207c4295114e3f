"""The configuration of a PEFT adapter, and why llama.cpp could not run such an adapter.

llama.cpp adds `alpha / rank * B A x` to what a matrix computes, and that is all. Whatever else a
configuration asks for is refused here, fields that nobody knew when this was written included.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from peft.utils.other import get_pattern_key
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.adapter.unsupported import MERGED, AdapterUnsupportedError

CONFIG = "adapter_config.json"
# They take something out of the base before training; the adapter alone puts back another.
ALTERING_INITS = ("pissa", "olora")
_OTHER_INITS = frozenset({"gaussian", "eva", "orthogonal", "mica"})
_REASONS = {
    "use_dora": "it is a DoRA, whose magnitudes rescale the base's own weights",
    "modules_to_save": "it replaces whole modules of the base (modules_to_save)",
    "trainable_token_indices": "it has trained embeddings of single tokens",
    "lora_bias": "its LoRA layers have biases",
    "fan_in_fan_out": "its layers are stored transposed (fan_in_fan_out)",
    "layer_replication": "it repeats layers of the base (layer_replication)",
    "target_parameters": "it adapts parameters that are no linear layer (target_parameters)",
    "use_qalora": "it is a QA-LoRA, which pools the inputs of a layer",
}
_HARMLESS = frozenset({
    "task_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision",
    "inference_mode", "target_modules", "exclude_modules", "lora_dropout", "layers_to_transform",
    "layers_pattern", "megatron_config", "megatron_core", "loftq_config", "eva_config",
    "corda_config", "lora_ga_config", "qalora_group_size", "runtime_config", "ensure_weight_tying",
})  # fmt: skip


class PeftConfig(BaseModel):
    """What counts of `adapter_config.json`; every other field is kept in `model_extra`."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    r: int
    lora_alpha: float
    use_rslora: bool = False
    rank_pattern: dict[str, int] = {}
    alpha_pattern: dict[str, float] = {}
    init_lora_weights: bool | str = True
    bias: str = "none"

    @field_validator("rank_pattern", "alpha_pattern", mode="before")
    @classmethod
    def _none_is_empty(cls, value: Any) -> Any:
        return {} if value is None else value

    @property
    def altering_init(self) -> str | None:
        """The initialisation that changed the base's weights, if it was such a one."""
        init = str(self.init_lora_weights).lower()
        return init if init in ALTERING_INITS else None

    def rank_of(self, module: str) -> int:
        """The rank that PEFT gives a module."""
        return self.rank_pattern.get(get_pattern_key(self.rank_pattern.keys(), module), self.r)

    def scale_of(self, module: str) -> float:
        """What PEFT multiplies B A with: alpha / rank, with rsLoRA alpha / sqrt(rank)."""
        pattern = get_pattern_key(self.alpha_pattern.keys(), module)
        alpha = self.alpha_pattern.get(pattern, self.lora_alpha)
        rank = self.rank_of(module)
        return alpha / (math.sqrt(rank) if self.use_rslora else rank)


def read_config(adapter: Path) -> PeftConfig:
    """The configuration of a PEFT folder.

    Raises:
        TooldrillError: when there is none, or it is broken.
        AdapterUnsupportedError: when it asks for more than a plain LoRA.
    """
    path = adapter / CONFIG
    try:
        raw = json.loads(path.read_text("utf-8"))
        if not isinstance(raw, dict):
            raise ValueError("it is no JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise _broken(path, str(error)) from error
    if raw.pop("peft_type", None) != "LORA":
        raise AdapterUnsupportedError("it is no LoRA")
    try:
        config = PeftConfig.model_validate(raw)
        for pattern in (*config.rank_pattern, *config.alpha_pattern):
            re.compile(pattern)
    except ValidationError as error:
        first = error.errors()[0]
        raise _broken(path, f"{first['loc'][0]}: {first['msg']}") from error
    except re.error as error:
        raise _broken(path, f"the pattern {error.pattern!r} is none: {error}") from error
    if min([config.r, *config.rank_pattern.values()]) < 1:
        raise _broken(path, "a rank is less than 1")
    _require_plain(config)
    return config


def _broken(path: Path, reason: str) -> TooldrillError:
    return TooldrillError(
        f"{path} is no adapter's configuration: {reason}",
        "train the adapter again: tooldrill train sft CONFIG --force",
    )


def _require_plain(config: PeftConfig) -> None:
    """Raises AdapterUnsupportedError for the first thing that is more than a plain LoRA."""
    extra = config.model_extra or {}
    set_fields = {name for name, value in extra.items() if value and name not in _HARMLESS}
    if "alora_invocation_tokens" in set_fields:
        raise AdapterUnsupportedError(
            "it is an activated LoRA, which works on a part of the conversation only",
            "convert it with llama.cpp's convert_lora_to_gguf.py, for llama-server",
        )
    for name, reason in _REASONS.items():
        if name in set_fields:
            raise AdapterUnsupportedError(reason)
    if set_fields:
        raise AdapterUnsupportedError(
            f"it sets {min(set_fields)}, which makes it more than a plain LoRA"
        )
    if config.bias != "none":
        raise AdapterUnsupportedError(f"it has trained biases (bias: {config.bias})")
    init = config.init_lora_weights
    if isinstance(init, str) and init.lower() not in {*_OTHER_INITS, *ALTERING_INITS}:
        raise AdapterUnsupportedError(
            f"its initialisation {init!r} changed the base in a way that cannot be repeated",
            f"train with another initialisation (pissa and olora can be repeated), or {MERGED}",
        )
