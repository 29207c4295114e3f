"""Random LoRA adapters as PEFT saves them, with every matrix far from zero."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model

from tooldrill.training.base_model import answering_peft


def linear_names(model: Any, *, head: bool = False) -> list[str]:
    """Last names of the linear layers; the output layer only when asked for."""
    found = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    return sorted(found if head else found - {"lm_head"})


def save_adapter(model: Any, folder: Path, size: float = 0.1, **config: Any) -> Any:
    """Saves an adapter of the model and returns the model that carries it, which PEFT changed."""
    torch.manual_seed(3)
    chosen = {
        "task_type": "CAUSAL_LM",
        "r": 4,
        "lora_alpha": 8,
        "target_modules": linear_names(model),
        **config,
    }
    tuned = get_peft_model(answering_peft(model), LoraConfig(**chosen)).eval()
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_" in name and "magnitude" not in name:
                weights.normal_(0, size)
    tuned.save_pretrained(folder)
    return tuned
