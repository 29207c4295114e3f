"""qwen35: the text part of Qwen 3.5. Gated DeltaNet layers with full attention between."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

import gguf
import torch

from tooldrill.export.layouts.base import Layout, kind_of
from tooldrill.export.layouts.stored import Change, StoredTensor, one_more, without_channel

_RECURRENT = "linear_attention"
_ROTATED = 0.25
_EPSILON = 1e-6


class Qwen35(Layout):
    """Norm weights are stored as what they multiply with; value heads in another order.

    transformers keeps the value heads that share a key head together; llama.cpp repeats the key
    heads as a whole, so first comes the first value head of every key head.
    """

    arch = gguf.MODEL_ARCH.QWEN35
    biased: ClassVar[frozenset[str]] = frozenset({"ssm_dt"})
    partial = True

    @property
    def rotated(self) -> int:
        return int(self.head_size * float(self.rope.get("partial_rotary_factor") or _ROTATED))

    @property
    def recurrent(self) -> list[bool]:
        return [kind == _RECURRENT for kind in self.config.layer_types]

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        config = self.config
        if config.linear_key_head_dim != config.linear_value_head_dim:
            yield "the key and value heads of its linear attention differ in size"
        if config.linear_num_value_heads % config.linear_num_key_heads:
            yield "the value heads of its linear attention are no multiple of the key heads"
        if self.epsilon != _EPSILON:
            # transformers norms queries and keys with this one, llama.cpp with the layers'.
            yield f"its norms add {self.epsilon:g}, not {_EPSILON:g}"

    def write_hyperparameters(self, writer: gguf.GGUFWriter) -> None:
        super().write_hyperparameters(writer)
        config = self.config
        writer.add_rope_dimension_sections(self._sections())
        writer.add_ssm_conv_kernel(config.linear_conv_kernel_dim)
        writer.add_ssm_state_size(config.linear_key_head_dim)
        writer.add_ssm_group_count(config.linear_num_key_heads)
        writer.add_ssm_time_step_rank(config.linear_num_value_heads)
        writer.add_ssm_inner_size(config.linear_num_value_heads * config.linear_value_head_dim)
        writer.add_array(f"{self.name}.attention.recurrent_layers", self.recurrent)
        # The same for builds of llama.cpp that know no list, as far as it can be said so.
        writer.add_full_attention_interval(self.recurrent.index(False) + 1)

    def _sections(self) -> list[int]:
        """How many rotated pairs are time's, height's and width's; in text all are the same.

        llama.cpp aborts on sections that do not fit into a head, so odd ones are not taken over.
        """
        pairs = self.rotated // 2
        given = [*(self.rope.get("mrope_section") or ()), 0, 0, 0, 0][:4]
        dealt = [(pairs + 2) // 3, (pairs + 1) // 3, pairs // 3, 0]
        return given if sum(given) == pairs else dealt

    def stored(self, name: str, weights: torch.Tensor) -> Iterator[StoredTensor]:
        # gguf's table knows the time step's bias by its older name.
        gguf_name = self.gguf_name(name.replace(".dt_bias", ".dt_proj.bias"))
        exact = kind_of(gguf_name) == "ssm_conv1d"
        yield StoredTensor(gguf_name, weights, self.change(gguf_name), exact)

    def change(self, gguf_name: str) -> Change:
        kind = kind_of(gguf_name)
        if kind.endswith("_norm") and kind != "ssm_norm":
            return one_more
        config = self.config
        keys = config.linear_num_key_heads
        size = config.linear_value_head_dim
        first = 2 * keys * config.linear_key_head_dim  # rows of q and k, which stay
        by_keys = partial(_by_value_then_key, keys=keys)
        changes: dict[str, Change] = {
            "attn_qkv": partial(by_keys, size=size, first=first),
            "ssm_conv1d": partial(_kernel, keys=keys, size=size, first=first),
            "attn_gate": partial(by_keys, size=size),
            "ssm_out": partial(_columns, keys=keys, size=size),
            "ssm_a": partial(_decay, keys=keys),
        }
        for kind_by_head in ("ssm_alpha", "ssm_beta", "ssm_dt"):
            changes[kind_by_head] = partial(by_keys, size=1)
        return changes.get(kind) or super().change(gguf_name)


def _by_value_then_key(weights: torch.Tensor, keys: int, size: int, first: int = 0) -> torch.Tensor:
    """Rows of value heads, `size` each, from key by key to one of every key.

    Args:
        first: rows before them that are no value heads.
    """
    rest = weights.shape[1:]
    rows = weights[first:].reshape(keys, -1, size, *rest)
    ordered = rows.transpose(0, 1).reshape(-1, *rest)
    return torch.cat([weights[:first], ordered]) if first else ordered


def _kernel(weights: torch.Tensor, keys: int, size: int, first: int) -> torch.Tensor:
    return _by_value_then_key(without_channel(weights), keys, size, first)


def _columns(weights: torch.Tensor, keys: int, size: int) -> torch.Tensor:
    return _by_value_then_key(weights.T, keys, size).T


def _decay(weights: torch.Tensor, keys: int) -> torch.Tensor:
    """transformers keeps the logarithm of the negative decay, llama.cpp the decay."""
    return _by_value_then_key(-torch.exp(weights), keys, 1)
