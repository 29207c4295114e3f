"""lfm2: Liquid's short convolutions with some attention layers between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import gguf
import torch

from tooldrill.export.layouts.base import Layout, kind_of
from tooldrill.export.layouts.stored import StoredTensor, without_channel

_CONVOLUTION = "shortconv.conv"


class Lfm2(Layout):
    """A layer without key and value heads is a convolution to llama.cpp."""

    arch = gguf.MODEL_ARCH.LFM2
    biased: ClassVar[frozenset[str]] = frozenset()
    square = True

    @property
    def config_activation(self) -> str:
        return self.activation  # the model has no choice either

    @property
    def epsilon(self) -> float:
        return float(self.config.norm_eps)

    @property
    def kv_heads(self) -> list[int]:
        heads = int(self.config.num_key_value_heads)
        return [0 if recurrent else heads for recurrent in self.recurrent]

    @property
    def recurrent(self) -> list[bool]:
        return [kind == "conv" for kind in self.config.layer_types]

    @property
    def feed_forward(self) -> int:
        """The width that transformers makes of the configured one."""
        config, size = self.config, int(self.config.intermediate_size)
        if not config.block_auto_adjust_ff_dim:
            return size
        size = int(2 * size / 3)
        if config.block_ffn_dim_multiplier is not None:
            size = int(config.block_ffn_dim_multiplier * size)
        step = int(config.block_multiple_of)
        return -(-size // step) * step

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        if self.config.conv_bias:
            yield "its convolutions have biases"
        if self.config.conv_L_cache < 2:
            yield "its convolutions see one token only"

    def write_hyperparameters(self, writer: gguf.GGUFWriter) -> None:
        super().write_hyperparameters(writer)
        writer.add_shortconv_l_cache(self.config.conv_L_cache)

    def stored(self, name: str, weights: torch.Tensor) -> Iterator[StoredTensor]:
        gguf_name = self.gguf_name(name)
        if kind_of(gguf_name) == _CONVOLUTION:
            yield StoredTensor(gguf_name, weights, without_channel, exact=True)
        else:
            yield from super().stored(name, weights)
