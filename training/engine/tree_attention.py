"""Attention over a prefix forest, as one of Transformers' attention functions.

Where a model expects its 4-D mask it is handed the forest itself: an integer tensor of shape
(1, 1, 1, T), each token's `PrefixTree.ends`. Models pass a 4-D mask on untouched, so nothing of
theirs has to know. On a CPU each branch attends to its trunk and itself alone; one dense mask over
everything would cost the square of the batch. On a GPU the mask is made dense or, with
`tooldrill_flex`, becomes a block mask whose empty blocks are skipped.

Calls without a forest (generation, a plain batch) are Transformers' own SDPA.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import torch
from torch.nn import functional
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from tooldrill.training.engine.prefix_tree import Branch, branches

Kernel = Literal["branches", "dense", "flex"]
QKV = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def as_mask(ends: torch.Tensor) -> torch.Tensor:
    """A forest in the place of a 4-D mask: shape (T,) to (1, 1, 1, T)."""
    return ends.to(torch.int32)[None, None, None]


def is_forest(mask: Any) -> bool:
    """Whether a mask is a forest; no other mask of Transformers' has whole numbers."""
    return isinstance(mask, torch.Tensor) and mask.dtype == torch.int32 and mask.dim() == 4


def register() -> None:
    """Makes the kernels known to Transformers as `tooldrill_branches`, `_dense` and `_flex`."""
    for name, kernel in (("branches", _by_branch), ("dense", _dense), ("flex", _flex)):
        AttentionInterface.register(f"tooldrill_{name}", _function(kernel))
        AttentionMaskInterface.register(f"tooldrill_{name}", sdpa_mask)


def _function(kernel: Any) -> Any:
    def attend(
        module: torch.nn.Module,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, None]:
        if not is_forest(attention_mask):
            plain: tuple[torch.Tensor, None] = sdpa_attention_forward(
                module, query, key, value, attention_mask, **kwargs
            )
            return plain
        unknown = {name for name in _CHANGING if kwargs.get(name) is not None}
        if unknown:
            raise ValueError(f"attention with {', '.join(sorted(unknown))} has no tree kernel")
        window = kwargs.get("sliding_window")
        settings = {"scale": kwargs.get("scaling"), "dropout_p": kwargs.get("dropout", 0.0)}
        out = kernel((query, key, value), attention_mask, window, settings)
        return out.transpose(1, 2).contiguous(), None

    return attend


# What changes the scores and is not computed here; a model that uses it is told apart by `probe`.
_CHANGING = ("softcap", "s_aux", "position_bias")


def _by_branch(
    qkv: QKV,
    forest: torch.Tensor,
    window: int | None,
    settings: dict[str, Any],
) -> torch.Tensor:
    """Queries (1, H, T, D) on keys and values (1, K, T, D): branch by branch."""
    query, key, value = qkv
    parts = []
    for branch, mask in _plan(forest, window, query.dtype):
        own = slice(branch.start, branch.stop)
        spans = [*branch.trunk, (branch.start, branch.stop)]
        keys = torch.cat([key[:, :, first:last] for first, last in spans], 2)
        values = torch.cat([value[:, :, first:last] for first, last in spans], 2)
        parts.append(
            functional.scaled_dot_product_attention(
                query[:, :, own],
                keys,
                values,
                attn_mask=mask,
                is_causal=mask is None,
                enable_gqa=query.shape[1] != key.shape[1],
                **settings,
            )
        )
    return torch.cat(parts, 2)


def _plan(
    forest: torch.Tensor, window: int | None, dtype: torch.dtype
) -> list[tuple[Branch, torch.Tensor | None]]:
    """Each branch with its additive mask; worked out once for all layers of a forward pass."""
    plans: dict[Any, Any] = forest.__dict__.setdefault("plans", {})
    if (window, dtype) not in plans:
        plans[window, dtype] = [
            (branch, _branch_mask(branch, window, dtype, forest.device))
            for branch in branches(forest.flatten().tolist())
        ]
    found: list[tuple[Branch, torch.Tensor | None]] = plans[window, dtype]
    return found


def _branch_mask(
    branch: Branch, window: int | None, dtype: torch.dtype, device: torch.device
) -> torch.Tensor | None:
    """Shape (n, P + n) for n tokens on a trunk of P; None where plain causality says it all."""
    size = branch.stop - branch.start
    trunk = sum(last - first for first, last in branch.trunk)
    if not trunk and (window is None or size <= window):
        return None
    position = torch.arange(trunk + size, device=device)
    distance = position[trunk:, None] - position[None]
    seen = distance >= 0
    if window is not None:
        seen &= distance < window
    return torch.zeros(seen.shape, dtype=dtype, device=device).masked_fill_(~seen, float("-inf"))


def _dense(
    qkv: QKV,
    forest: torch.Tensor,
    window: int | None,
    settings: dict[str, Any],
) -> torch.Tensor:
    """The same with one mask over all tokens, which suits a GPU's few big kernels."""
    query, key, value = qkv
    masks: dict[Any, torch.Tensor] = forest.__dict__.setdefault("dense", {})
    if window not in masks:
        masks[window] = _dense_mask(forest.flatten(), window)
    repeats = query.shape[1] // key.shape[1]
    return functional.scaled_dot_product_attention(
        query,
        key.repeat_interleave(repeats, 1),
        value.repeat_interleave(repeats, 1),
        attn_mask=masks[window],
        **settings,
    )


def _dense_mask(ends: torch.Tensor, window: int | None) -> torch.Tensor:
    place = torch.arange(len(ends), device=ends.device)
    seen = (place[None] <= place[:, None]) & (place[:, None] < ends[None])
    if window is not None:
        depth = seen.sum(-1)  # the number of tokens on the path: the position plus one
        seen &= depth[:, None] - depth[None] < window
    return seen[None, None]


def _flex(
    qkv: QKV,
    forest: torch.Tensor,
    window: int | None,
    settings: dict[str, Any],
) -> torch.Tensor:
    """FlexAttention with a block mask: blocks without a visible pair are never computed."""
    from torch.nn.attention.flex_attention import create_block_mask

    masks: dict[Any, Any] = forest.__dict__.setdefault("flex", {})
    if window not in masks:
        ends = forest.flatten()
        seen = _dense_mask(ends, window)[0, 0] if window is not None else None

        def visible(_b: Any, _h: Any, row: torch.Tensor, column: torch.Tensor) -> torch.Tensor:
            if seen is not None:
                return seen[row, column]
            return (column <= row) & (row < ends[column])

        size = len(ends)
        masks[window] = create_block_mask(visible, None, None, size, size, device=forest.device)
    out: torch.Tensor = _compiled_flex()(
        *qkv,
        block_mask=masks[window],
        scale=settings["scale"],
        enable_gqa=qkv[0].shape[1] != qkv[1].shape[1],
    )
    return out


@cache
def _compiled_flex() -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=True)
