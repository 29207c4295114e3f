"""LoRA layers as one multiplication each, for processors.

PEFT multiplies by the frozen weights, then by the two narrow matrices, scales and adds: three more
passes over the layer's output, and as many on the way back. Narrow matrices are read faster than
they are used, so these passes cost far more than their operations. Here the update is added to the
weights first (that costs as much as `rank` tokens) and one multiplication does all. Same numbers
but for rounding; nothing is kept but the input, which PEFT keeps too.

The layers stay PEFT's: their parameters, their saving, their merging. What is not plain LoRA in
float32 (dropout, DoRA and other variants, quantized weights, autocast) runs as before. Whole MLPs
are `fused_mlp`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from peft.tuners.lora.layer import Linear
from torch.autograd.function import once_differentiable
from torch.nn import functional

Grads = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Weights:
    """A layer's numbers: y = x (W + s B A)^T + b with W and b frozen.

    Attributes:
        frozen: W, shape (out, in); bias: shape (out,) or None; a: (r, in); b: (out, r); scale: s.
    """

    frozen: torch.Tensor
    bias: torch.Tensor | None
    a: torch.Tensor
    b: torch.Tensor
    scale: float

    @property
    def merged(self) -> torch.Tensor:
        """W + s B A. Made where it is used: kept, it would be a second copy of all weights."""
        return torch.addmm(self.frozen, self.b, self.a, alpha=self.scale)

    def output(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, self.merged, self.bias)

    def gradients(self, grad: torch.Tensor, x: torch.Tensor) -> Grads:
        """Of A and B, for the output's gradient g (n, out) at inputs x (n, in).

        dA = s (g B)^T x and dB = s g^T (x A^T).
        """
        a = ((grad @ self.b).t() @ x).mul_(self.scale)
        b = (grad.t() @ (x @ self.a.t())).mul_(self.scale)
        return a, b


def fuse_lora(model: Any) -> int:
    """Puts the fused forward into every layer of a PEFT model that allows it; returns how many."""
    layers = [module for module in model.modules() if is_plain(module)]
    for layer in layers:
        layer.forward = _forward(layer)
    return len(layers)


def is_plain(layer: Any) -> bool:
    """Whether a module is LoRA as in the paper, over a frozen float32 layer on a processor."""
    if type(layer) is not Linear:
        return False
    base = layer.get_base_layer()
    return (
        type(base) is torch.nn.Linear
        and base.weight.device.type == "cpu"
        and base.weight.dtype == torch.float32
        and not base.weight.requires_grad
        and not layer.lora_variant
        and not any(getattr(layer, "lora_bias", {}).values())
        and all(isinstance(drop, torch.nn.Identity) for drop in layer.lora_dropout.values())
    )


def weights_in_use(layer: Linear) -> Weights | None:
    """What a plain layer computes with just now; None when that is not one adapter, unmerged."""
    active = [name for name in layer.active_adapters if name in layer.lora_A]
    if len(active) != 1 or layer.merged or layer.disable_adapters:
        return None
    if torch.is_autocast_enabled("cpu"):
        return None
    (name,) = active
    base = layer.get_base_layer()
    a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
    return Weights(base.weight, base.bias, a, b, layer.scaling[name])


def _forward(layer: Linear) -> Any:
    original = layer.forward

    def forward(x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        weights = None if args or kwargs else weights_in_use(layer)
        if weights is None:
            plain: torch.Tensor = original(x, *args, **kwargs)
            return plain
        out: torch.Tensor = _FusedLora.apply(x, weights, weights.a, weights.b)  # type: ignore[no-untyped-call]
        return out

    return forward


class _FusedLora(torch.autograd.Function):
    """A layer's output; A and B stand beside the weights so that autograd knows of them."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weights: Weights, a: torch.Tensor, b: torch.Tensor
    ) -> torch.Tensor:
        ctx.save_for_backward(x, a, b)
        ctx.weights = weights
        return weights.output(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (x, *_), weights = ctx.saved_tensors, ctx.weights
        flat = grad.flatten(0, -2)
        grad_x = (flat @ weights.merged).view_as(x) if ctx.needs_input_grad[0] else None
        return grad_x, None, *weights.gradients(flat, x.flatten(0, -2))
