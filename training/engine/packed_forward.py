"""A backbone that computes its rows end to end in one sequence, without padding.

Transformers and its layers keep such rows apart themselves, with whatever the model's own attention
does (sinks, soft caps): by positions that begin anew, by each row's bounds for FlashAttention and
linear attention, by each token's row for convolutions and state spaces. TRL's padding-free batches
say it in the same words. Layers that cannot carry their state from row to row, which
`choose_layout` finds out.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import torch
from transformers.masking_utils import create_masks_for_generate

from tooldrill.training.engine.layout import Layout
from tooldrill.training.engine.row_forward import Computed, Tokens, by_calls, by_rows


def ways_to_pack(backbone: Any, layout: Layout) -> Iterator[Any]:
    """Forwards of a backbone that packs rows: masks left to the model, then made beforehand.

    Some models (gpt-oss) do not look at the positions when they make their masks, but take masks
    that Transformers made from them.
    """
    for masks_first in (False, True):
        yield _by_packs(backbone, layout, masks_first=masks_first)


def _by_packs(backbone: Any, layout: Layout, *, masks_first: bool) -> Any:
    original = backbone.forward
    named = inspect.signature(original).parameters
    takes_all = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in named.values())

    def compute(
        original: Any, rows: list[Tokens], device: torch.device, kwargs: dict[str, Any]
    ) -> Computed:
        def call(some: list[Tokens]) -> Any:
            bounds = _bounds([len(row) for row in some], device)
            known = {k: v for k, v in bounds.items() if takes_all or k in named}
            ids = torch.tensor([[token for row in some for token in row]], device=device)
            mask = _masks(backbone, bounds["position_ids"]) if masks_first else None
            output = original(input_ids=ids, attention_mask=mask, **{**kwargs, **known})
            output.last_hidden_state = output.last_hidden_state[0]
            return output

        return by_calls(layout.calls([len(row) for row in rows]), rows, call)

    return by_rows(original, compute)


def _bounds(lengths: list[int], device: torch.device) -> dict[str, Any]:
    """Where rows begin, in the names that Transformers, its kernels and TRL have for it."""
    sizes = torch.tensor(lengths, device=device)
    ends = sizes.cumsum(0)
    row = torch.repeat_interleave(torch.arange(len(lengths), device=device), sizes)
    positions = torch.arange(len(row), device=device) - (ends - sizes)[row]
    starts = torch.nn.functional.pad(ends, (1, 0)).to(torch.int32)
    return {
        "position_ids": positions[None],
        "cu_seq_lens_q": starts,
        "cu_seq_lens_k": starts,
        "max_length_q": max(lengths),
        "max_length_k": max(lengths),
        "seq_idx": row[None].to(torch.int32),
    }


def _masks(backbone: Any, positions: torch.Tensor) -> Any:
    """Transformers' own, as it makes them for generation: of the embeddings it asks the shape."""
    embedded = torch.empty(*positions.shape, 0, dtype=backbone.dtype, device=positions.device)
    return create_masks_for_generate(
        config=backbone.config,
        inputs_embeds=embedded,
        attention_mask=None,
        past_key_values=None,
        position_ids=positions,
    )
