"""Where a LoRA pair belongs in GGUF: the tensor's name, the order of its rows and columns.

A layout says how a matrix W is stored: rows of W reordered or split off, or its columns reordered.
Rows of B A are rows of B, columns of B A are columns of A, so the same is done to those. The order
is read off the layout itself, by having it store a matrix that holds its own positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.adapter.peft_folder import LoraPair
from tooldrill.export.adapter.unsupported import AdapterUnsupportedError
from tooldrill.export.layouts.base import Layout, kind_of, text_name
from tooldrill.export.layouts.stored import Change, unchanged

# Matrices that llama.cpp's graphs multiply with by way of LoRA (`build_lora_mm`), and the
# embeddings, which they look up so. A pair for any other tensor would be loaded and not used.
ADAPTED = frozenset({
    "token_embd", "output", "attn_q", "attn_k", "attn_v", "attn_qkv", "attn_output", "attn_gate",
    "ffn_gate", "ffn_up", "ffn_down", "ssm_in", "ssm_out", "ssm_alpha", "ssm_beta",
    "shortconv.in_proj", "shortconv.out_proj",
})  # fmt: skip
_EMBEDDINGS = "token_embd"


@dataclass(frozen=True)
class Place:
    """One GGUF tensor that a pair adds to; a pair of a fused module has several.

    Attributes:
        rows: which rows of B, in their order; None for all as they are.
        columns: which columns of A.
    """

    name: str
    pair: LoraPair
    rows: torch.Tensor | None = None
    columns: torch.Tensor | None = None

    def shapes(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Of `placed`'s two matrices."""
        outputs, inputs = self.pair.shape
        rows = outputs if self.rows is None else len(self.rows)
        columns = inputs if self.columns is None else len(self.columns)
        a = (columns, self.pair.rank) if self.pair.embedding else (self.pair.rank, columns)
        return a, (rows, self.pair.rank)

    def placed(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The matrices as GGUF has them; of embeddings A has a row for every token."""
        a = a if self.columns is None else a[:, self.columns]
        b = b if self.rows is None else b[self.rows]
        return (a.T if self.pair.embedding else a), b


def places(
    layout: Layout, shapes: Mapping[str, tuple[int, ...]], pair: LoraPair
) -> Iterator[Place]:
    """Where a pair belongs: nowhere, when it adapts another part than the language model.

    Args:
        shapes: of the base's tensors, by transformers' names.

    Raises:
        AdapterUnsupportedError: when llama.cpp's graph has no LoRA there.
        TooldrillError: when the base has no such module, or one of another width.
    """
    name = f"{pair.module}.weight"
    _require_fit(pair, shapes.get(name))
    own = text_name(name)
    if own is None:
        return
    _require_untied(pair, layout)
    for stored in layout.stored(own, torch.empty(shapes[name], device="meta")):
        kind = kind_of(stored.name)
        if kind not in ADAPTED:
            raise AdapterUnsupportedError(f"it adapts {pair.module}, where llama.cpp has no LoRA")
        if pair.embedding != (kind == _EMBEDDINGS):
            raise AdapterUnsupportedError(f"it adapts {pair.module} as another kind of layer")
        rows, columns = _order(stored.change, pair)
        yield Place(stored.name, pair, rows, columns)


def _require_fit(pair: LoraPair, shape: tuple[int, ...] | None) -> None:
    if shape == (pair.shape[::-1] if pair.embedding else pair.shape):
        return
    if shape is not None and len(shape) != 2:
        raise AdapterUnsupportedError(f"it adapts {pair.module}, which is no linear layer")
    is_there = f"{pair.module} of shape {shape}" if shape else f"no layer {pair.module}"
    raise TooldrillError(
        f"the adapter does not fit the base, which has {is_there}, not {pair.shape}",
        "set model.path to the base it was trained on (base_model_name_or_path in its "
        "adapter_config.json)",
    )


def _require_untied(pair: LoraPair, layout: Layout) -> None:
    """llama.cpp knows tied embeddings and output as one tensor, PEFT adapts one of the two."""
    ends = pair.embedding or pair.module.rpartition(".")[2] == "lm_head"
    if ends and layout.config.tie_word_embeddings:
        raise AdapterUnsupportedError(
            f"it adapts {pair.module}, and this model's embeddings and output are one tensor",
            "leave embed_tokens and lm_head out of training.lora.targets",
        )


def _order(change: Change, pair: LoraPair) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Rows and columns that a change takes, in their order; None where it takes all as they are.

    Raises:
        AdapterUnsupportedError: when it is not a matter of order, so of no LoRA either.
    """
    if change is unchanged:
        return None, None
    outputs, inputs = pair.shape
    positions = torch.arange(outputs * inputs, dtype=torch.int64).reshape(outputs, inputs)
    stored = change(positions)
    reordered = not stored.is_floating_point() and stored.dim() == 2
    if reordered:
        rows, columns = stored[:, 0] // inputs, stored[0] % inputs
        if torch.equal(stored, rows[:, None] * inputs + columns):
            return _unless_all(rows, outputs), _unless_all(columns, inputs)
    raise AdapterUnsupportedError(f"it adapts {pair.module}, whose values GGUF stores otherwise")


def _unless_all(order: torch.Tensor, count: int) -> torch.Tensor | None:
    return None if torch.equal(order, torch.arange(count)) else order


def shapes_of(model: Any) -> dict[str, tuple[int, ...]]:
    """Shapes of a model's tensors by name; no weights are loaded for it."""
    return {name: tuple(weights.shape) for name, weights in model.state_dict().items()}
