"""One tensor on its way into a GGUF: its name, its shape before it exists, its bytes.

Made lazily: a file is planned from the shapes, and at any time one tensor is in memory besides the
model itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tooldrill.agent.errors import TooldrillError

Array = np.ndarray[Any, Any]
Change = Callable[[torch.Tensor], torch.Tensor]


def unchanged(weights: torch.Tensor) -> torch.Tensor:
    """GGUF stores these weights as transformers does."""
    return weights


def one_more(weights: torch.Tensor) -> torch.Tensor:
    """Norms that multiply with 1 + weight, as the factor they multiply with."""
    return weights + 1


def without_channel(weights: torch.Tensor) -> torch.Tensor:
    """A depthwise kernel of shape (channels, 1, width) as (channels, width)."""
    return weights.squeeze(1)


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that will be written.

    Attributes:
        name: the GGUF name, `blk.0.attn_q.weight`.
        source: weights as transformers has them, of any float type.
        change: makes the stored weights of them.
        exact: kept in F32 though it is a matrix, as llama.cpp's kernel reads nothing else.
    """

    name: str
    source: torch.Tensor
    change: Change = unchanged
    exact: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Slowest dimension first, as torch counts; no weights are touched."""
        return tuple(self.change(self.source.to("meta")).shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """F16 for matrices; vectors (norms, biases) are small and stay in F32."""
        half = len(self.shape) >= 2 and not self.exact
        return np.dtype(np.float16 if half else np.float32)

    @property
    def bytes(self) -> int:
        size = self.dtype.itemsize
        for length in self.shape:
            size *= length
        return size

    @torch.no_grad()
    def array(self) -> Array:
        """The values to write.

        Raises:
            TooldrillError: when a weight does not fit F16 or is not a number.
        """
        array: Array = self.change(self.source.detach().to(torch.float32)).numpy()
        with np.errstate(over="ignore"):
            stored: Array = np.ascontiguousarray(array, dtype=self.dtype)
        if not np.isfinite(stored).all():
            raise TooldrillError(
                f"{self.name} holds a weight that {stored.dtype} cannot store"
                f" ({np.abs(array).max():.3g})",
                "train again with a lower learning rate: the weights have run away",
            )
        return stored
