"""One multiplication for a LoRA layer: PEFT's numbers and gradients; the rest PEFT does itself."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from tooldrill.training.engine.fused_lora import fuse_lora
from tooldrill.training.engine.fused_mlp import fuse_mlps


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(24, 40, bias=True)
        self.down = nn.Linear(40, 24, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(torch.tanh(self.up(x)))


class Gated(nn.Module):
    def __init__(self, bias: bool = False, activation: Any = nn.functional.silu) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(24, 40, bias=bias)
        self.up_proj = nn.Linear(24, 40, bias=bias)
        self.down_proj = nn.Linear(40, 24, bias=bias)
        self.activation = activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down_proj(self.activation(self.gate_proj(x)) * self.up_proj(x))


PARTS = ["gate_proj", "up_proj", "down_proj"]


def adapted(net: nn.Module | None = None, **options: Any) -> Any:
    torch.manual_seed(0)
    chosen = {"r": 4, "lora_alpha": 8, "target_modules": ["up", "down"], **options}
    model = get_peft_model(net or Net(), LoraConfig(**chosen))
    for name, weights in model.named_parameters():
        if "lora_B" in name:  # zero at first, which would hide the gradient of A
            nn.init.normal_(weights, std=0.3)
    return model


def outcome(model: Any, autocast: bool = False) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(1)
    x = torch.randn(2, 7, 24, requires_grad=True)
    with torch.autocast("cpu", enabled=autocast):
        y = model(x)
    (y.float() ** 2).sum().backward()
    learned = [p.grad for p in model.parameters() if p.requires_grad]
    return (y.detach(), x.grad, *learned)  # type: ignore[return-value]


@pytest.mark.parametrize(
    "options",
    [{}, {"use_rslora": True}, {"rank_pattern": {"up": 2}, "alpha_pattern": {"down": 3}}],
)
def test_output_and_gradients_are_those_of_peft(options: dict[str, Any]) -> None:
    plain, fused = adapted(**options), adapted(**options)
    assert fuse_lora(fused) == 2
    for wanted, found in zip(outcome(plain), outcome(fused), strict=True):
        assert found.dtype == wanted.dtype
        assert float((found - wanted).norm() / wanted.norm()) < 1e-5


@pytest.mark.parametrize(
    "options",
    [{"lora_dropout": 0.5}, {"use_dora": True}, {"lora_bias": True}],
    ids=["dropout", "dora", "lora bias"],
)
def test_other_adapters_stay_as_they_are(options: dict[str, Any]) -> None:
    assert fuse_lora(adapted(**options)) == 0


def test_other_weights_stay_as_they_are() -> None:
    assert fuse_lora(adapted().to(torch.bfloat16)) == 0


def test_a_layer_out_of_use_or_merged_or_under_autocast_is_peft_s_own() -> None:
    plain, fused = adapted(), adapted()
    fuse_lora(fused)
    x = torch.randn(3, 24)
    with plain.disable_adapter(), fused.disable_adapter():
        assert torch.equal(fused(x), plain(x))
    for wanted, found in zip(outcome(plain, True), outcome(fused, True), strict=True):
        assert torch.equal(found, wanted)
    plain.merge_adapter()
    fused.merge_adapter()
    assert torch.equal(fused(x), plain(x))


def test_two_adapters_at_once_are_both_applied() -> None:
    plain, fused = adapted(), adapted()
    for model in (plain, fused):
        torch.manual_seed(2)
        other = LoraConfig(r=2, target_modules=["up"], init_lora_weights=False)
        model.add_adapter("other", other)
        model.base_model.set_adapter(["default", "other"])
    fuse_lora(fused)
    x = torch.randn(3, 24)
    torch.testing.assert_close(fused(x), plain(x))


def gated(**options: Any) -> Any:
    targets = options.pop("target_modules", PARTS)
    torch.manual_seed(5)
    return adapted(nn.Sequential(Gated(**options), Gated(**options)), target_modules=targets)


@pytest.mark.parametrize("bias", [False, True])
def test_a_gated_mlp_in_one_step_is_peft_s(bias: bool) -> None:
    plain, fused = gated(bias=bias), gated(bias=bias)
    assert fuse_mlps(fused) == 2
    for wanted, found in zip(outcome(plain), outcome(fused), strict=True):
        assert float((found - wanted).norm() / wanted.norm()) < 1e-5


def test_a_gated_mlp_keeps_half_of_what_was_kept() -> None:
    def kept(model: Any) -> int:
        tensors: dict[int, int] = {}

        def note(tensor: torch.Tensor) -> torch.Tensor:
            tensors[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        x = torch.randn(1, 500, 24, requires_grad=True)
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            y = model(x)  # the graph must stand while addresses are compared
        del y
        return sum(tensors.values())

    plain, fused = gated(), gated()
    fuse_lora(plain)
    fuse_mlps(fused)
    wide = 500 * 40 * 4
    assert kept(plain) - kept(fused) == pytest.approx(2 * 2 * wide, rel=0.05)


def test_what_is_not_such_an_mlp_stays_as_it_is() -> None:
    assert fuse_mlps(gated(activation=torch.tanh)) == 0
    assert fuse_mlps(gated(target_modules=["gate_proj", "up_proj"])) == 0


def test_an_mlp_whose_adapter_is_off_is_peft_s_own() -> None:
    plain, fused = gated(), gated()
    fuse_mlps(fused)
    x = torch.randn(3, 24)
    with plain.disable_adapter(), fused.disable_adapter():
        assert torch.equal(fused(x), plain(x))
