"""granitehybrid: Granite 4's `h` models, Mamba 2 layers with some attention layers between."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

import gguf
import torch

from tooldrill.export.layouts.base import kind_of
from tooldrill.export.layouts.granite import Granite4
from tooldrill.export.layouts.stored import Change, StoredTensor, without_channel

_RECURRENT = ("mamba", "linear_attention")  # names before and since transformers 5
_EXPANSION = 2
# Kept in F32: the kernels read nothing else.
_EXACT = frozenset({"ssm_conv1d", "ssm_a", "ssm_d", "ssm_norm"})


class GraniteHybrid(Granite4):
    """A layer without key and value heads is Mamba to llama.cpp."""

    arch = gguf.MODEL_ARCH.GRANITE_HYBRID
    biased: ClassVar[frozenset[str]] = Granite4.biased | {"ssm_conv1d", "ssm_dt"}

    @property
    def kv_heads(self) -> list[int]:
        heads = int(self.config.num_key_value_heads)
        return [0 if recurrent else heads for recurrent in self.recurrent]

    @property
    def recurrent(self) -> list[bool]:
        return [kind in _RECURRENT for kind in self.config.layer_types]

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        config = self.config
        if config.mamba_expand != _EXPANSION:
            yield f"its Mamba layers are {config.mamba_expand} times as wide, not {_EXPANSION}"
        if config.mamba_proj_bias or not config.mamba_conv_bias:
            yield "its Mamba layers have other biases than llama.cpp's"
        low, high = config.time_step_limit
        if low > 0 or high != float("inf"):
            yield f"its time steps are limited to {low:g} to {high:g}"

    def write_hyperparameters(self, writer: gguf.GGUFWriter) -> None:
        super().write_hyperparameters(writer)
        config = self.config
        writer.add_ssm_conv_kernel(config.mamba_d_conv)
        writer.add_ssm_state_size(config.mamba_d_state)
        writer.add_ssm_group_count(config.mamba_n_groups)
        writer.add_ssm_inner_size(_EXPANSION * config.hidden_size)
        writer.add_ssm_time_step_rank(config.mamba_n_heads)

    def stored(self, name: str, weights: torch.Tensor) -> Iterator[StoredTensor]:
        if ".mamba." not in name:
            yield from super().stored(name, weights)
            return
        # gguf's table knows the time step's bias by its older name.
        gguf_name = self.gguf_name(name.replace(".dt_bias", ".dt_proj.bias"))
        exact = kind_of(gguf_name) in _EXACT
        yield StoredTensor(gguf_name, weights, self.change(gguf_name), exact)

    def change(self, gguf_name: str) -> Change:
        kind = kind_of(gguf_name)
        if gguf_name.endswith("ssm_conv1d.weight"):
            return without_channel
        if kind == "ssm_norm":
            return partial(_in_groups, groups=self.config.mamba_n_groups)
        if kind == "ssm_a":
            return _decay
        if kind == "ssm_d":
            return _column
        return super().change(gguf_name)


def _column(weights: torch.Tensor) -> torch.Tensor:
    return weights.reshape(-1, 1)


def _decay(weights: torch.Tensor) -> torch.Tensor:
    """transformers keeps the logarithm of the negative decay, llama.cpp the decay."""
    return _column(-torch.exp(weights))


def _in_groups(weights: torch.Tensor, groups: int) -> torch.Tensor:
    return weights if groups == 1 else weights.reshape(groups, -1)
