"""A LoRA adapter for a tiny random model: as a GGUF file of its own, and merged into the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGUFWriter
from tiny_engine import save_gguf

from tooldrill.export.layouts.stored import StoredTensor

RANK, ALPHA = 4, 8.0
# No query or key: their rows are stored in another order.
MATRICES = {
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
Factors = dict[str, tuple[torch.Tensor, torch.Tensor]]


def save_models(folder: Path) -> Factors:
    """Writes `base.gguf`, `merged.gguf` and `lora.gguf`; returns the adapter's A and B."""
    made: Factors = {}
    with pytest.MonkeyPatch.context() as patch:
        # Rounded to F16, merged weights are other weights, and late tokens differ.
        patch.setattr(StoredTensor, "dtype", np.dtype(np.float32))
        save_gguf(folder / "base.gguf", change=lambda model: made.update(_factors(model)))
        save_gguf(folder / "merged.gguf", change=_merge)
    save_adapter(folder / "lora.gguf", made)
    return made


def save_adapter(path: Path, tensors: Factors, arch: str = "llama", kind: str = "adapter") -> str:
    """Writes an adapter as llama.cpp's converter would."""
    writer = GGUFWriter(path, arch)
    writer.add_type(kind)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", ALPHA)
    for name, (a, b) in tensors.items():
        writer.add_tensor(f"{name}.lora_a", a.numpy().astype(np.float32))
        writer.add_tensor(f"{name}.lora_b", b.numpy().astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return str(path)


def _factors(model: Any) -> Factors:
    """A and B of each matrix, by its name in the GGUF."""
    generator = torch.Generator().manual_seed(7)
    found = {}
    for layer, block in enumerate(model.model.layers):
        for name, stored in MATRICES.items():
            out, into = block.get_submodule(name).weight.shape
            a = torch.randn(RANK, into, generator=generator) * 0.1
            b = torch.randn(out, RANK, generator=generator) * 0.1
            found[f"blk.{layer}.{stored}.weight"] = (a, b)
    return found


@torch.no_grad()
def _merge(model: Any) -> None:
    made = _factors(model)
    for layer, block in enumerate(model.model.layers):
        for name, stored in MATRICES.items():
            a, b = made[f"blk.{layer}.{stored}.weight"]
            block.get_submodule(name).weight.add_(ALPHA / RANK * b @ a)
