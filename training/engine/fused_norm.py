"""Frozen RMS norms that keep what they give, and not what they took.

out = x / sqrt(mean(x^2) + eps) * scale (Zhang and Sennrich 2019, "Root Mean Square Layer
Normalization"). Autograd keeps x for the way back, and the layer behind the norm keeps out; but x's
direction can be read from out, and only its length is lost. So out and one number for each token
are kept: two tensors of the model's width less in every layer. Same numbers but for rounding, in a
third of the passes.

For processors and float32, like `fused_lora`. A norm that is trained stays as it is, and so does
one whose scale has entries near zero, from which nothing can be read back.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

_TOLERANCE = 1e-5
_SMALLEST_SCALE = 1e-6


def fuse_norms(model: Any) -> int:
    """Puts the one-step forward into every RMS norm of a model that allows it; returns how many.

    Whether a module is such a norm, and whether it scales by its weights or by one more (as Gemma's
    do), is not looked up but tried.
    """
    found = 0
    for module in model.modules():
        extra = _extra(module)
        if extra is not None:
            module.forward = _forward(module, extra)
            found += 1
    return found


def _extra(module: Any) -> float | None:
    """What is added to the weights to give the scale; None when the norm is not to be fused."""
    weight = getattr(module, "weight", None)
    if not type(module).__name__.endswith("RMSNorm") or _epsilon(module) is None:
        return None
    if not isinstance(weight, torch.Tensor) or weight.requires_grad or weight.dim() != 1:
        return None
    if weight.device.type != "cpu" or weight.dtype != torch.float32:
        return None
    x = torch.linspace(-2, 2, 3 * len(weight)).sin().view(1, 3, -1)
    with torch.no_grad():
        wanted = module(x)
        for extra in (0.0, 1.0):
            scale = weight + extra
            found, _ = _normed(x, scale, module)
            close = (found - wanted).norm() < _TOLERANCE * wanted.norm()
            if close and scale.abs().min() > _SMALLEST_SCALE:
                return extra
    return None


def _epsilon(module: Any) -> float | None:
    for name in ("variance_epsilon", "eps"):
        if isinstance(getattr(module, name, None), float):
            return float(getattr(module, name))
    return None


def _normed(x: torch.Tensor, scale: torch.Tensor, module: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """The norm's output, and 1 / sqrt(mean(x^2) + eps) with a last dimension of one."""
    mean = torch.linalg.vecdot(x, x).div_(x.shape[-1]).unsqueeze(-1)
    inverse = mean.add_(_epsilon(module)).rsqrt_()
    return (x * inverse).mul_(scale), inverse


def _forward(module: Any, extra: float) -> Any:
    original = module.forward

    def forward(*args: Any, **kwargs: Any) -> torch.Tensor:
        fits = len(args) == 1 and not kwargs and args[0].dtype == torch.float32
        if not fits or module.weight.requires_grad or not torch.is_grad_enabled():
            plain: torch.Tensor = original(*args, **kwargs)
            return plain
        (x,) = args
        out: torch.Tensor = _FusedNorm.apply(x, module.weight + extra, module)  # type: ignore[no-untyped-call]
        return out

    return forward


class _FusedNorm(torch.autograd.Function):
    """With y = x r and r = 1 / sqrt(mean(x^2) + eps): dx = r (g scale - y mean(g scale y))."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, scale: torch.Tensor, module: Any) -> torch.Tensor:
        out, inverse = _normed(x, scale, module)
        ctx.save_for_backward(out, inverse, scale)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        out, inverse, scale = ctx.saved_tensors
        # g . out = (g scale) . y, so that y is needed once only.
        along = torch.linalg.vecdot(grad, out).div_(out.shape[-1]).unsqueeze(-1)
        grad_x = (grad * scale).addcmul_(out / scale, along, value=-1)
        return grad_x.mul_(inverse), None, None
