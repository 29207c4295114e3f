"""PiSSA and OLoRA: adapters of a base that their initialisation changed.

They begin by taking s B0 A0 out of every matrix W, so what was trained is W - s B0 A0 + s B A. Over
the base as it is, that is a LoRA of twice the rank: [B, -B0] and [A; A0]. PEFT finds the same B0
and A0 again when it is given the base and the configuration, as it does at each loading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.adapter.peft_folder import LoraPair, PeftAdapter

Matrices = tuple[torch.Tensor, torch.Tensor]


def initial_matrices(base: Any, adapter: Path) -> dict[str, Matrices]:
    """A0 and B0 by module; the base is changed on the way and of no use afterwards.

    Raises:
        TooldrillError: when PEFT cannot make them.
    """
    try:
        config = LoraConfig.from_pretrained(str(adapter))
        config.inference_mode = False
        tuned = get_peft_model(base, config)
    except (ValueError, RuntimeError, TypeError) as error:
        raise TooldrillError(
            f"PEFT cannot begin the adapter in {adapter} again: {str(error).splitlines()[0]}",
            "set export.adapter_gguf=false",
        ) from error
    found = {}
    for name, module in tuned.base_model.model.named_modules():
        if hasattr(module, "lora_A") and "default" in module.lora_A:
            a, b = (side["default"].weight.detach() for side in (module.lora_A, module.lora_B))
            found[name] = (a.float(), b.float())
    return found


def doubled(pair: LoraPair, initial: Mapping[str, Matrices]) -> LoraPair:
    """The pair with the rank that it has over the base as it is."""
    return replace(pair, rank=2 * pair.rank) if pair.module in initial else pair


class Subtracted:
    """The pairs of such an adapter as pairs over the base as it is.

    Args:
        initial: see `initial_matrices`.
    """

    def __init__(self, adapter: PeftAdapter, initial: Mapping[str, Matrices]) -> None:
        self._adapter = adapter
        self._initial = initial
        self.pairs = [doubled(pair, initial) for pair in adapter.pairs]

    def load(self, pair: LoraPair) -> Matrices:
        """A and B, which add what was trained and take away what it began with."""
        a, b = self._adapter.load(pair)
        if pair.module not in self._initial:
            return a, b
        first_a, first_b = self._initial[pair.module]
        return torch.cat([a, first_a]), torch.cat([b, -first_b], dim=1)
