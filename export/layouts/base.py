"""What the layouts share: the hyperparameters of every decoder, names from `gguf`'s own table.

A family's file says only what is its own. Every tensor of the model must find its place: one that
the architecture has no tensor for, or no bias, is an error and is never left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

import gguf
import torch

from tooldrill.export.layouts.rope import (
    SCALINGS,
    rope_of,
    rope_problem,
    to_rotary_pairs,
    write_rope,
)
from tooldrill.export.layouts.stored import Change, StoredTensor, unchanged
from tooldrill.export.unsupported import UnsupportedError

SUFFIXES = (".weight", ".bias")
FAMILIES = "llama, mistral, qwen2, qwen3, qwen3_5, gemma3, lfm2, granite, smollm3 or phi3"
INSTEAD = f"use a base of the family {FAMILIES}"
# Where the text part lies inside a multimodal model; its other parts are not exported.
_TEXT_PART = re.compile(r"^(?:model\.)?language_model\.(?:model\.)?")
_OTHER_PARTS = re.compile(
    r"^(?:model\.)?(?:visual|vision_tower|vision_model|multi_modal_projector|mtp)\."
)


class Layout:
    """A model as one architecture of llama.cpp stores it.

    Attributes:
        arch: the architecture.
        activation: the only one that its graph computes.
        scalings: rotary scalings that its graph computes.
        biased: kinds of tensor that may have a bias.
        rotary_pairs: whether q and k are stored in pairs (see `to_rotary_pairs`).
        square: whether the heads together must be as wide as the hidden state.
        partial: whether its graph may rotate a part of each head.
    """

    arch: ClassVar[gguf.MODEL_ARCH]
    activation: ClassVar[str] = "silu"
    scalings: ClassVar[frozenset[str]] = SCALINGS
    biased: ClassVar[frozenset[str]] = frozenset({"attn_q", "attn_k", "attn_v"})
    rotary_pairs: ClassVar[bool] = False
    square: ClassVar[bool] = False
    partial: ClassVar[bool] = False

    def __init__(self, config: Any) -> None:
        self.config = config.get_text_config()
        self._names = gguf.get_tensor_name_map(self.arch, self.config.num_hidden_layers)

    @property
    def name(self) -> str:
        """What `general.architecture` says."""
        return str(gguf.MODEL_ARCH_NAMES[self.arch])

    @property
    def head_size(self) -> int:
        size = getattr(self.config, "head_dim", None)
        return int(size or self.config.hidden_size // self.config.num_attention_heads)

    @property
    def rotated(self) -> int:
        """Dimensions of a head that are rotated."""
        return int(self.head_size * float(self.rope.get("partial_rotary_factor") or 1.0))

    @property
    def rope(self) -> dict[str, Any]:
        return rope_of(self.config)

    @property
    def context(self) -> int:
        """Positions for which the file computes what the model does."""
        return int(self.config.max_position_embeddings)

    @property
    def feed_forward(self) -> int:
        return int(self.config.intermediate_size)

    @property
    def kv_heads(self) -> int | list[int]:
        """Key and value heads; by layer where layers differ."""
        return int(self.config.num_key_value_heads)

    @property
    def epsilon(self) -> float:
        return float(self.config.rms_norm_eps)

    @property
    def recurrent(self) -> list[bool]:
        """Which layers keep a state instead of attending; empty where a family has none."""
        return []

    def problems(self) -> Iterator[str]:
        """What this architecture cannot express of the model, most telling first."""
        if self.config_activation != self.activation:
            yield f"its activation is {self.config_activation!r}, not {self.activation!r}"
        problem = rope_problem(self.rope, self.scalings)
        if problem:
            yield problem
        if not self.partial and self.rotated != self.head_size:
            yield f"it rotates {self.rotated} of {self.head_size} dimensions of a head"
        if self.square and self.head_size * self.config.num_attention_heads != (
            self.config.hidden_size
        ):
            yield f"its heads of {self.head_size} do not add up to {self.config.hidden_size}"
        if len(set(self.recurrent)) == 1:
            yield "all its layers are of one kind, where llama.cpp needs both"

    @property
    def config_activation(self) -> str:
        return str(self.config.hidden_act)

    def check(self) -> None:
        """Refuses a model that this architecture cannot express.

        Raises:
            UnsupportedError: with the first of `problems`.
        """
        problem = next(self.problems(), None)
        if problem:
            raise UnsupportedError(problem, INSTEAD)

    def write_hyperparameters(self, writer: gguf.GGUFWriter) -> None:
        """Everything llama.cpp needs to build the graph."""
        config = self.config
        writer.add_context_length(self.context)
        writer.add_embedding_length(config.hidden_size)
        writer.add_block_count(config.num_hidden_layers)
        writer.add_feed_forward_length(self.feed_forward)
        writer.add_head_count(config.num_attention_heads)
        writer.add_head_count_kv(self.kv_heads)
        if self.head_size * config.num_attention_heads != config.hidden_size:
            writer.add_key_length(self.head_size)
            writer.add_value_length(self.head_size)
        writer.add_layer_norm_rms_eps(self.epsilon)
        writer.add_vocab_size(config.vocab_size)
        write_rope(writer, self.rope, self.rotated, self.context)

    def tensors(self, model: Any) -> Iterator[StoredTensor]:
        """Every tensor of the file, in the model's order.

        A tied output is left out: llama.cpp then uses the embeddings.

        Raises:
            UnsupportedError: for a tensor that the architecture does not have.
        """
        for name, weights in text_part(model):
            if name == "lm_head.weight" and self.config.tie_word_embeddings:
                continue
            yield from self.stored(name, weights)

    def stored(self, name: str, weights: torch.Tensor) -> Iterator[StoredTensor]:
        """The GGUF tensors made of one of transformers'; most families need only `change`."""
        gguf_name = self.gguf_name(name)
        yield StoredTensor(gguf_name, weights, self.change(gguf_name))

    def gguf_name(self, name: str) -> str:
        """What GGUF calls a tensor.

        Raises:
            UnsupportedError: when the architecture has no such tensor, or not with a bias.
        """
        found = self._names.get_name(name, try_suffixes=SUFFIXES)
        misplaced = found is None or (found.endswith(".bias") and kind_of(found) not in self.biased)
        if misplaced:
            raise UnsupportedError(
                f"llama.cpp's {self.name} has no tensor for {name}",
                "export a plain model of the family; merge other adapters first",
            )
        return str(found)

    def change(self, gguf_name: str) -> Change:
        """What makes the values of a GGUF tensor of transformers' values."""
        kind = kind_of(gguf_name)
        heads = {
            "attn_q": self.config.num_attention_heads,
            "attn_k": self.config.num_key_value_heads,
        }
        if self.rotary_pairs and kind in heads:
            return partial(to_rotary_pairs, heads=heads[kind])
        return unchanged


def kind_of(gguf_name: str) -> str:
    """`attn_q` of `blk.0.attn_q.weight`; `shortconv.conv` of `blk.0.shortconv.conv.weight`."""
    bare = gguf_name.removesuffix(".weight").removesuffix(".bias")
    return re.sub(r"^blk\.\d+\.", "", bare)


def text_part(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Names and weights of the language model; vision and speculation heads are left out."""
    for name, weights in model.state_dict().items():
        own = text_name(name)
        if own:
            yield own, weights


def text_name(name: str) -> str | None:
    """What a tensor is called in the language model; None for one of the other parts."""
    return None if _OTHER_PARTS.match(name) else _TEXT_PART.sub("model.", name)


def sliding_layers(config: Any) -> list[bool]:
    """Which layers see only a window."""
    kinds = getattr(config, "layer_types", None) or []
    return [kind == "sliding_attention" for kind in kinds]
