"""A model whose backbone computes what the rows of a batch share only once.

The backbone's forward is replaced by one that packs the rows into a prefix forest and runs the
original forward on it, with its own positions and mask.

Whether a model computes the same on a forest is looked up where its config says so, and tried in
any case: see `share_prefixes`.
"""

from __future__ import annotations

from typing import Any

import torch

from tooldrill.training.engine import tree_attention
from tooldrill.training.engine.layout import MASKED_LAYERS
from tooldrill.training.engine.prefix_tree import build_tree
from tooldrill.training.engine.row_forward import Computed, Tokens, by_rows
from tooldrill.training.engine.trial import alone, difference, states_of, told


def share_prefixes(
    model: Any,
    kernel: tree_attention.Kernel = "branches",
    wanted: torch.Tensor | None = None,
) -> str | None:
    """Replaces the forward of `model`'s backbone if that leaves its numbers as they are.

    Rows that share prefixes are computed both ways and compared. Where recurrent layers, attention
    sinks, soft caps and the like make a difference, the model is left as it was.

    Args:
        model: a Transformers causal language model, before PEFT wraps it.
        kernel: how to attend over a forest, see `tree_attention`.
        wanted: what the rows of the trial come to one by one, where that is known already.

    Returns:
        None, or why the model cannot share prefixes.
    """
    config = model.config.get_text_config()
    others = set(getattr(config, "layer_types", None) or ()) - MASKED_LAYERS
    if others:
        return f"it has {', '.join(sorted(others))} layers"
    tree_attention.register()
    backbone = model.base_model
    if wanted is None:
        wanted = alone(backbone)
    before = model.config._attn_implementation
    sharing = by_rows(backbone.forward, _shared)
    try:
        model.set_attn_implementation(f"tooldrill_{kernel}")
        reason = difference(backbone, wanted, states_of(backbone, sharing))
    except Exception as error:
        reason = told(error)
    if reason is not None:
        model.set_attn_implementation(before)
        return reason
    backbone.forward = sharing
    return None


def _shared(
    original: Any, rows: list[Tokens], device: torch.device, kwargs: dict[str, Any]
) -> Computed:
    tree = build_tree(rows)
    output = original(
        **{**kwargs, "position_ids": tree.positions[None].to(device)},
        input_ids=tree.tokens[None].to(device),
        attention_mask=tree_attention.as_mask(tree.ends).to(device),
    )
    return Computed(output, output.last_hidden_state[0], tree.places)
