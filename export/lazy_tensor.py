"""A tensor whose shape is known and whose values are made when they are asked for.

It stands in a model's state where the model itself is not in memory (`streamed`); the GGUF writer
plans a file by the shapes and loads one tensor after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch


class LazyTensor(torch.Tensor):
    """A tensor on the meta device; `load` gives the values, anew each time."""

    load: Callable[[], torch.Tensor]
    # What is computed of it is a plain tensor: shapes of parts need no values either.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]


def lazy_tensor(shape: Sequence[int], load: Callable[[], torch.Tensor]) -> LazyTensor:
    """A tensor of this shape, whose values `load` gives in float32."""
    made: LazyTensor = torch.Tensor._make_subclass(LazyTensor, torch.empty(*shape, device="meta"))
    made.load = load
    return made


def loaded(weights: torch.Tensor) -> torch.Tensor:
    """The values of a tensor, lazy or not."""
    return weights.load() if isinstance(weights, LazyTensor) else weights.detach()
