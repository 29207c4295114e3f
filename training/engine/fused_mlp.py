"""Gated MLPs whose three layers carry LoRA, computed as one step that keeps less.

out = down(silu(gate(x)) * up(x)). Autograd would keep four tensors as wide as the MLP for each
token, more than half of what a layer keeps at all; here two are kept, and the other two are made
again from them, which is a pass each. The memory that is saved goes into larger packs, and so into
prefixes that are computed once. Same numbers but for rounding.

For processors, on top of `fused_lora`, which says what counts as plain LoRA.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from tooldrill.training.engine.fused_lora import Weights, is_plain, weights_in_use

_PARTS = ("gate_proj", "up_proj", "down_proj")
_TOLERANCE = 1e-4


def fuse_mlps(model: Any) -> int:
    """Puts the one-step forward into every MLP of a PEFT model that allows it; returns how many.

    Whether a module with such parts is a gated MLP is not looked up but tried.
    """
    found = [module for module in model.modules() if _is_fusible(module)]
    for module in found:
        module.forward = _forward(module)
    return len(found)


def _is_fusible(module: Any) -> bool:
    if not all(is_plain(getattr(module, part, None)) for part in _PARTS):
        return False
    weights = _weights(module)
    if weights is None:
        return False
    width = module.gate_proj.in_features
    x = torch.linspace(-2, 2, 3 * width).sin().view(1, 3, width)
    with torch.no_grad():
        wanted = module(x)
        found = _product(x, *weights[:2])
        error = weights[2].output(found) - wanted
    return bool(error.norm() < _TOLERANCE * wanted.norm())


def _weights(module: Any) -> list[Weights] | None:
    """Of gate, up and down; None when one of them is not to be fused just now."""
    found = [weights_in_use(getattr(module, part)) for part in _PARTS]
    return None if None in found else [w for w in found if w is not None]


def _product(x: torch.Tensor, gate: Weights, up: Weights) -> torch.Tensor:
    return functional.silu(gate.output(x)).mul_(up.output(x))


def _forward(module: Any) -> Any:
    original = module.forward

    def forward(x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        weights = None if args or kwargs else _weights(module)
        if weights is None:
            plain: torch.Tensor = original(x, *args, **kwargs)
            return plain
        learned = [matrix for part in weights for matrix in (part.a, part.b)]
        out: torch.Tensor = _FusedMlp.apply(x, weights, *learned)  # type: ignore[no-untyped-call]
        return out

    return forward


class _FusedMlp(torch.autograd.Function):
    """The MLP's output; A and B of each layer stand beside so that autograd knows of them."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weights: list[Weights], *learned: torch.Tensor
    ) -> torch.Tensor:
        gate, up = weights[0].output(x), weights[1].output(x)
        ctx.save_for_backward(x, gate, up, *learned)
        ctx.weights = weights
        return weights[2].output(functional.silu(gate).mul_(up))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        saved = ctx.saved_tensors
        x, gate, up = (tensor.flatten(0, -2) for tensor in saved[:3])
        of_gate, of_up, of_down = ctx.weights
        flat = grad.flatten(0, -2)
        active = functional.silu(gate)
        down_grads = of_down.gradients(flat, active * up)
        grad_product = flat @ of_down.merged
        grad_up = active.mul_(grad_product)
        grad_gate = torch.ops.aten.silu_backward(grad_product.mul_(up), gate)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = (grad_gate @ of_gate.merged).addmm_(grad_up, of_up.merged).view_as(saved[0])
        learned = (*of_gate.gradients(grad_gate, x), *of_up.gradients(grad_up, x), *down_grads)
        return grad_x, None, *learned
