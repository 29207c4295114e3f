"""phi3: Phi 3, 3.5 and 4 mini. q, k, v lie in one tensor, gate and up in another."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar

import gguf
import torch

from tooldrill.export.layouts.base import Layout
from tooldrill.export.layouts.rope import rope_type
from tooldrill.export.layouts.stored import StoredTensor


class Phi3(Layout):
    """Fused tensors are stored fused; LongRoPE's factors as two tensors.

    llama.cpp's graph has no window: the file's context ends where the model's window does.
    """

    arch = gguf.MODEL_ARCH.PHI3
    scalings: ClassVar[frozenset[str]] = frozenset({"default", "longrope"})
    biased: ClassVar[frozenset[str]] = frozenset()
    square = True
    partial = True

    @property
    def context(self) -> int:
        return min(super().context, self.config.sliding_window or super().context)

    @property
    def trained(self) -> int:
        """Positions up to which the short factors hold."""
        rope = self.rope.get("original_max_position_embeddings")
        return int(rope or self.config.original_max_position_embeddings)

    def write_hyperparameters(self, writer: gguf.GGUFWriter) -> None:
        super().write_hyperparameters(writer)
        writer.add_sliding_window(0)
        if rope_type(self.rope) != "longrope":
            return
        writer.add_rope_scaling_type(gguf.RopeScalingType.LONGROPE)
        writer.add_rope_scaling_orig_ctx_len(self.trained)
        writer.add_rope_scaling_attn_factors(self._attention_factor())

    def tensors(self, model: Any) -> Iterator[StoredTensor]:
        if rope_type(self.rope) == "longrope":
            for length in ("long", "short"):
                factors = torch.tensor(self.rope[f"{length}_factor"], dtype=torch.float32)
                yield StoredTensor(f"rope_factors_{length}.weight", factors)
        yield from super().tensors(model)

    def _attention_factor(self) -> float:
        """What the rotated values are multiplied with (arXiv:2402.13753, section 3.3)."""
        given = self.rope.get("attention_factor")
        if given is not None:
            return float(given)
        factor = self.rope.get("factor") or self.config.max_position_embeddings / self.trained
        return math.sqrt(1 + math.log(factor) / math.log(self.trained)) if factor > 1 else 1.0
