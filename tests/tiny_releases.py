"""A tiny base with an adapter that changes it, exported for real: what releases are made of."""

from __future__ import annotations

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from tiny_llama import save_tiny

from tooldrill.export.release.facts import Provenance, Release
from tooldrill.export.run import export_model
from tooldrill.export.settings import ExportSettings
from tooldrill.training.base_model import load_model
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

FILES = ["tiny-tooldrill-F16.gguf", "tiny-tooldrill-Q8_0.gguf"]


def save_base_and_adapter(folder: Path) -> None:
    """Writes `tiny` and `adapter` into the folder."""
    base = load_model(resolve(ModelSettings(path=str(save_tiny(folder / "tiny")))))
    tuned = get_peft_model(base, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear"))
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_B" in name:
                weights.normal_(0, 0.05, generator=torch.Generator().manual_seed(3))
    tuned.save_pretrained(folder / "adapter")


def export_tiny(folder: Path) -> Release:
    """Makes and exports them; nothing is known of their training."""
    save_base_and_adapter(folder)
    model = ModelSettings(path=str(folder / "tiny"))
    settings = ExportSettings(quantizations=["F16", "Q8_0"], adapter_gguf=False)
    return Release(
        summary=export_model(model, folder / "adapter", settings, None, folder / "out"),
        folder=folder / "out",
        model=model,
        adapter=folder / "adapter",
        config="name: tiny\n",
        provenance=Provenance(),
    )
