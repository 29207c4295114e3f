"""Which layout leaves a model's numbers as they are, tried on the model itself.

In this order: a prefix forest; rows end to end; rows of like length side by side; one by one. A few
rows are computed in each way and compared with each on its own, until one agrees.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from tooldrill.agent.errors import TooldrillError
from tooldrill.training.engine.layout import (
    CALL_COST,
    CALL_COST_ON_GPU,
    DENSE_MOST_ON_GPU,
    FOREST,
    MOST,
    Layout,
)
from tooldrill.training.engine.line_forward import by_lines
from tooldrill.training.engine.packed_forward import ways_to_pack
from tooldrill.training.engine.shared_forward import share_prefixes
from tooldrill.training.engine.tree_attention import Kernel
from tooldrill.training.engine.trial import STRICT, alone, difference, states_of, told

# Transformers' attention that skips other rows' tokens: no mask of a square of the tokens.
_SKIPPING = ("flex_attention", "flash_attention")


def lay_out(model: Any, kernel: Kernel = "branches", *, one_call: bool = False) -> Layout:
    """Replaces the forward of `model`'s backbone by the best that leaves its numbers as they are.

    Args:
        model: a Transformers causal language model, before PEFT wraps it.
        kernel: how to attend over a forest, see `tree_attention`. With `flex` Transformers' own
            FlexAttention is tried for packed rows.
        one_call: all rows of a batch in one call, see `Layout`.

    Raises:
        TooldrillError: where rows must be computed one by one and in one call.
    """
    backbone = model.base_model
    wanted = alone(backbone)
    reason = share_prefixes(model, kernel, wanted)
    if reason is None:
        return FOREST
    on_cpu = wanted.device.type == "cpu"
    cost = CALL_COST if on_cpu else CALL_COST_ON_GPU
    layout = Layout("packed", (reason,), cost, one_call=one_call)
    packed, reason = _pack(model, kernel, layout, wanted)
    if packed is not None:
        return packed
    most = MOST if on_cpu else None
    layout = replace(layout, reasons=(*layout.reasons, f"packed, {reason}"), most=most)
    # Tried in one batch, so that all its padding is met.
    together = by_lines(backbone.forward, replace(layout, kind="padded", one_call=True))
    reason = _try(backbone, together, wanted)
    if reason is None:
        layout = replace(layout, kind="padded")
    elif one_call:
        raise TooldrillError(
            f"FSDP needs all rows in one batch, where {reason}", "launch without FSDP"
        )
    else:
        layout = replace(layout, kind="single", reasons=(*layout.reasons, f"padded, {reason}"))
    backbone.forward = by_lines(backbone.forward, layout)
    return layout


def _pack(
    model: Any, kernel: Kernel, layout: Layout, wanted: torch.Tensor
) -> tuple[Layout | None, str]:
    """The layout, with the model changed for it; or None, with the model as it was, and why."""
    backbone = model.base_model
    own = model.config._attn_implementation
    dense = MOST if wanted.device.type == "cpu" else DENSE_MOST_ON_GPU
    reasons: dict[str, str] = {}  # of each attention, why it cannot as it packs by itself
    for attention in dict.fromkeys(["flex_attention", own] if kernel == "flex" else [own]):
        candidate = replace(layout, most=None if attention.startswith(_SKIPPING) else dense)
        try:
            model.set_attn_implementation(attention)
        except Exception as error:
            reasons[attention] = told(error)
            continue
        for forward in ways_to_pack(backbone, candidate):
            reason = _try(backbone, forward, wanted)
            if reason is None:
                backbone.forward = forward
                return candidate, ""
            reasons.setdefault(attention, reason)
    model.set_attn_implementation(own)
    return None, reasons[own]


def _try(backbone: Any, forward: Any, wanted: torch.Tensor) -> str | None:
    try:
        return difference(backbone, wanted, states_of(backbone, forward), STRICT)
    except Exception as error:
        return told(error)
