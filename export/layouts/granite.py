"""granite: Granite 3, and those of Granite 4 that have attention layers only."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

import gguf
import torch

from tooldrill.export.layouts.base import Layout
from tooldrill.export.layouts.llama import Llama
from tooldrill.export.layouts.stored import StoredTensor

_GATE_AND_UP = ".shared_mlp.input_linear.weight"
_DOWN = ".shared_mlp.output_linear.weight"


class Granite(Llama):
    """llama with four scales."""

    arch = gguf.MODEL_ARCH.GRANITE

    def write_hyperparameters(self, writer: gguf.GGUFWriter) -> None:
        super().write_hyperparameters(writer)
        writer.add_embedding_scale(self.config.embedding_multiplier)
        writer.add_attention_scale(self.config.attention_multiplier)
        writer.add_residual_scale(self.config.residual_multiplier)
        writer.add_logit_scale(self.config.logits_scaling)


class Granite4(Granite):
    """Granite 4's attention layers: one fused feed-forward, positions maybe not encoded."""

    # Both other biases are transformers' `attention_bias`; its feed-forward has none.
    biased: ClassVar[frozenset[str]] = Layout.biased | {"attn_output"}

    @property
    def feed_forward(self) -> int:
        return int(self.config.shared_intermediate_size)

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        if self.config.num_local_experts:
            yield f"it has {self.config.num_local_experts} experts"

    def write_hyperparameters(self, writer: gguf.GGUFWriter) -> None:
        super().write_hyperparameters(writer)
        # In these graphs the field says whether positions are encoded at all.
        writer.add_rope_scaling_finetuned(self.config.position_embedding_type == "rope")

    def stored(self, name: str, weights: torch.Tensor) -> Iterator[StoredTensor]:
        block = name.removesuffix(_GATE_AND_UP).removesuffix(_DOWN)
        if name.endswith(_GATE_AND_UP):
            for part, place in enumerate(("gate", "up")):
                yield StoredTensor(
                    self.gguf_name(f"{block}.mlp.{place}_proj.weight"),
                    weights,
                    partial(_half, part=part),
                )
        elif name.endswith(_DOWN):
            yield StoredTensor(self.gguf_name(f"{block}.mlp.down_proj.weight"), weights)
        else:
            yield from super().stored(name, weights)


def _half(weights: torch.Tensor, part: int) -> torch.Tensor:
    return weights.chunk(2)[part]
