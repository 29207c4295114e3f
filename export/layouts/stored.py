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
from tooldrill.export.lazy_tensor import loaded

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
        source: weights as transformers has them, of any float type; may be lazy.
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
    def array(self, brain: bool = False) -> Array:
        """The values to write.

        Args:
            brain: matrices in BF16 and not in F16; as uint16, since numpy has no such type.

        Raises:
            TooldrillError: when a weight does not fit the type or is not a number.
        """
        values = self.change(loaded(self.source).to(torch.float32))
        if brain and self.dtype == np.float16:
            rounded = values.to(torch.bfloat16)
            self._require_finite(bool(rounded.isfinite().all()), values, "bfloat16")
            bits: Array = rounded.contiguous().view(torch.int16).numpy().view(np.uint16)
            return bits
        array: Array = values.numpy()
        with np.errstate(over="ignore"):
            stored: Array = np.ascontiguousarray(array, dtype=self.dtype)
        self._require_finite(bool(np.isfinite(stored).all()), values, str(stored.dtype))
        return stored

    def _require_finite(self, finite: bool, values: torch.Tensor, kind: str) -> None:
        if not finite:
            raise TooldrillError(
                f"{self.name} holds a weight that {kind} cannot store"
                f" ({float(values.abs().max()):.3g})",
                "train again with a lower learning rate: the weights have run away",
            )
