"""Norms in one step: the numbers and gradients of Transformers' own, with less kept."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from transformers.models.gemma3.modeling_gemma3 import Gemma3RMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.qwen3_5.modeling_qwen3_5 import Qwen3_5RMSNorm

from tooldrill.training.engine.fused_norm import fuse_norms

WIDTH = 24


def norm(kind: Any, **changes: Any) -> Any:
    torch.manual_seed(3)
    inner: Any = kind(WIDTH, eps=1e-5)
    nn.init.normal_(inner.weight, mean=0.5)
    inner.requires_grad_(changes.get("trained", False))
    return nn.Sequential(inner).to(changes.get("dtype", torch.float32))


def outcome(module: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    x = x.clone().requires_grad_()
    y = module(x)
    (y * torch.linspace(-1, 1, y.numel()).view_as(y)).sum().backward()
    assert x.grad is not None
    return y.detach(), x.grad


@pytest.mark.parametrize("kind", [LlamaRMSNorm, Gemma3RMSNorm, Qwen3_5RMSNorm])
@pytest.mark.parametrize("shape", [(1, 7, WIDTH), (2, 3, 5, WIDTH)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 100.0])  # 1e-3: as small as epsilon's root
def test_a_norm_in_one_step_is_transformers_own(kind: Any, shape: Any, size: float) -> None:
    fused, x = norm(kind), size * torch.randn(shape)
    plain = outcome(norm(kind), x)
    assert fuse_norms(fused) == 1
    for wanted, found in zip(plain, outcome(fused, x), strict=True):
        assert float((found - wanted).norm() / wanted.norm()) < 1e-5


def test_only_what_it_gives_is_kept() -> None:
    def kept(module: Any) -> list[torch.Tensor]:
        tensors = []

        def note(tensor: torch.Tensor) -> torch.Tensor:
            tensors.append(tensor)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            y = module(x)
        return [y, *tensors]

    x = torch.randn(1, 9, WIDTH, requires_grad=True)
    fused = norm(LlamaRMSNorm)
    fuse_norms(fused)
    assert any(tensor.data_ptr() == x.data_ptr() for tensor in kept(norm(LlamaRMSNorm))[1:])
    y, *tensors = kept(fused)
    wide = {tensor.data_ptr() for tensor in tensors if tensor.numel() == x.numel()}
    assert wide == {y.data_ptr()}


def test_one_that_is_called_by_name_is_the_models_own() -> None:
    plain, fused, x = norm(LlamaRMSNorm)[0], norm(LlamaRMSNorm), torch.randn(2, WIDTH)
    assert fuse_norms(fused) == 1
    assert torch.equal(fused[0](hidden_states=x), plain(x))


def without_a_direction() -> Any:
    module = norm(LlamaRMSNorm)
    module[0].weight.data[3] = 0
    return module


class OtherRMSNorm(LlamaRMSNorm):  # type: ignore[misc]
    """Named like one, and centred on top."""

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        centred = hidden_states - hidden_states.mean(-1, keepdim=True)
        out: torch.Tensor = super().forward(centred)
        return out


@pytest.mark.parametrize(
    "module",
    [
        norm(LlamaRMSNorm, trained=True),
        norm(LlamaRMSNorm, dtype=torch.bfloat16),
        without_a_direction(),
        norm(OtherRMSNorm),
    ],
    ids=["trained", "bfloat16", "a scale of zero", "another norm"],
)
def test_what_is_not_such_a_norm_stays_as_it_is(module: Any) -> None:
    before = module[0].forward
    assert fuse_norms(module) == 0
    assert module[0].forward == before
