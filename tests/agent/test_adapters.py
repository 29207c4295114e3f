"""LoRA adapters that are not merged: the replies of the merged model, or a refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGUFWriter
from tiny_engine import open_engine, replies, save_gguf, turn

from tooldrill.agent.engines.adapters import parse_adapter
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.hashing import sha256_file
from tooldrill.export.layouts.stored import StoredTensor

RANK, ALPHA = 4, 8.0
# No query or key: their rows are stored in another order.
MATRICES = {
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
PROMPTS = [f"open file {n} and read line {n * 3} of path " for n in range(8)]


def factors(model: Any) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
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
def merge(model: Any) -> None:
    made = factors(model)
    for layer, block in enumerate(model.model.layers):
        for name, stored in MATRICES.items():
            a, b = made[f"blk.{layer}.{stored}.weight"]
            block.get_submodule(name).weight.add_(ALPHA / RANK * b @ a)


def save_adapter(
    path: Path, tensors: dict[str, Any], arch: str = "llama", kind: str = "adapter"
) -> str:
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


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, made = tmp_path_factory.mktemp("adapters"), {}
    with pytest.MonkeyPatch.context() as patch:
        # Rounded to F16, merged weights are other weights, and late tokens differ.
        patch.setattr(StoredTensor, "dtype", np.dtype(np.float32))
        base = save_gguf(folder / "base.gguf", change=lambda model: made.update(factors(model)))
        merged = save_gguf(folder / "merged.gguf", change=merge)
    save_adapter(folder / "lora.gguf", made)
    one = next(iter(made))
    save_adapter(folder / "qwen3.gguf", made, arch="qwen3")
    save_adapter(folder / "model.gguf", made, kind="model")
    save_adapter(folder / "wide.gguf", {one: (made[one][0][:, :8], made[one][1])})
    return {"base": base, "merged": merged, "folder": folder}


def texts(path: Path, *adapters: str) -> list[str]:
    engine = open_engine(path, 3, adapters=list(adapters))
    given = replies(engine, [turn(str(n), text, 32) for n, text in enumerate(PROMPTS)])
    engine.close()
    return [given[str(n)].text for n in range(len(PROMPTS))]


def test_replies_are_the_merged_models(files: dict[str, Path]) -> None:
    lora = str(files["folder"] / "lora.gguf")
    merged, base = texts(files["merged"]), texts(files["base"])
    assert texts(files["base"], lora) == merged
    assert sum(one != other for one, other in zip(merged, base, strict=True)) >= 6
    assert texts(files["base"], f"{lora}:0") == base
    half = f"{lora}:0.5"
    assert texts(files["base"], half, half) == merged != texts(files["base"], half)


def test_the_info_names_every_adapter(files: dict[str, Path]) -> None:
    lora = files["folder"] / "lora.gguf"
    engine = open_engine(files["base"], adapters=[f"{lora}:0.5"])
    engine.close()
    (info,) = engine.info.adapters
    assert (info.path, info.scale, info.sha256) == (str(lora), 0.5, sha256_file(lora))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.gguf", "no GGUF file"),
        ("base.gguf", "is no LoRA adapter for base.gguf: .*general.type"),
        ("model.gguf", "is no LoRA adapter for base.gguf: .*general.type"),
        ("qwen3.gguf", "is no LoRA adapter for base.gguf: .*arch"),
        ("wide.gguf", "is no LoRA adapter for base.gguf: .*incorrect shape"),
    ],
)
def test_what_is_no_adapter_of_the_model_is_refused_in_one_line(
    name: str, reason: str, files: dict[str, Path]
) -> None:
    with pytest.raises(TooldrillError, match=reason) as caught:
        open_engine(files["base"], adapters=[str(files["folder"] / name)])
    assert "\n" not in caught.value.message
    assert caught.value.next_step


def test_paths_and_scales() -> None:
    assert parse_adapter("a/b.gguf") == (Path("a/b.gguf"), 1.0)
    assert parse_adapter("a/b.gguf:0.25") == (Path("a/b.gguf"), 0.25)
    assert parse_adapter("C:b.gguf") == (Path("C:b.gguf"), 1.0)
    with pytest.raises(TooldrillError, match="is no number"):
        parse_adapter("b.gguf:nan")
