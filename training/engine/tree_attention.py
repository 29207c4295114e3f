"""Attention over a prefix forest, as one of Transformers' attention functions.

Where a model expects its 4-D mask it is handed the forest itself: an integer tensor of shape
(1, 1, 1, T), each token's `PrefixTree.ends`. Models pass a 4-D mask on untouched, so nothing of
theirs has to know. On a CPU only pairs that are seen are computed (`branch_attention`); one dense
mask over everything would cost the square of the batch. On a GPU the mask is made dense or, with
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

from tooldrill.training.engine.branch_attention import BranchAttention, Visit, plan_visits

Kernel = Literal["branches", "dense", "flex"]
QKV = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
_BLOCK = 128  # FlexAttention's own: queries, and keys, of a block


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
    """Queries (1, H, T, D) on keys and values (1, K, T, D): only pairs that are seen.

    The kernel is a processor's and knows no dropout; else the dense mask serves.
    """
    if settings["dropout_p"] or qkv[0].device.type != "cpu":
        return _dense(qkv, forest, window, settings)
    if torch.is_autocast_enabled("cpu"):  # rotary embeddings leave float32 behind
        query, key, value = (part.to(torch.get_autocast_dtype("cpu")) for part in qkv)
    else:
        query, key, value = qkv
    plans: dict[Any, list[Visit]] = forest.__dict__.setdefault("visits", {})
    if (window, query.dtype) not in plans:  # worked out once for all layers
        ends = forest.flatten()
        plans[window, query.dtype] = plan_visits(ends, _depths(ends), window, query.dtype)
    visits = plans[window, query.dtype]
    out: torch.Tensor = BranchAttention.apply(query, key, value, visits, settings["scale"])  # type: ignore[no-untyped-call]
    return out


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
        depth = _depths(ends)
        seen &= depth[:, None] - depth[None] < window
    return seen[None, None]


def _depths(ends: torch.Tensor) -> torch.Tensor:
    """Each token's position in its rows, shape (T,): how many stretches it stands in, less one.

    Every token before it opened a stretch, and those that ended by then are closed.
    """
    size = len(ends)
    closed = torch.bincount(ends.long(), minlength=size)[:size].cumsum(0)
    return torch.arange(size, device=ends.device) - closed


def _flex(
    qkv: QKV,
    forest: torch.Tensor,
    window: int | None,
    settings: dict[str, Any],
) -> torch.Tensor:
    """FlexAttention with a block mask: blocks without a visible pair are never computed.

    It has no dropout of its own; where a model wants some, the dense mask serves.
    """
    if settings["dropout_p"]:
        return _dense(qkv, forest, window, settings)
    masks: dict[Any, Any] = forest.__dict__.setdefault("flex", {})
    if window not in masks:
        masks[window] = _block_mask(forest.flatten(), window)
    out: torch.Tensor = _flex_kernel()(
        *qkv,
        block_mask=masks[window],
        scale=settings["scale"],
        enable_gqa=qkv[0].shape[1] != qkv[1].shape[1],
    )
    return out


def _block_mask(ends: torch.Tensor, window: int | None) -> Any:
    """Which blocks of pairs are empty, full or mixed, from each block's extremes alone.

    Memory is linear in the tokens, but for a square of a number per block.
    """
    from torch.nn.attention.flex_attention import BlockMask

    size = len(ends)
    depth, width = _depths(ends), window or 0

    def below(_b: Any, _h: Any, row: torch.Tensor, column: torch.Tensor) -> torch.Tensor:
        return (column <= row) & (row < ends[column])

    def near(b: Any, h: Any, row: torch.Tensor, column: torch.Tensor) -> torch.Tensor:
        return below(b, h, row, column) & (depth[row] - depth[column] < width)

    first = torch.arange(0, size, _BLOCK, device=ends.device)
    later, same = first[:, None] > first[None], first[:, None] == first[None]
    # Nobody sees the padding of the last block, so none of its pairs is full.
    lowest_end, highest_end = _extremes(ends, 0)
    seen = same | (later & (highest_end[None] > first[:, None]))
    full = later & (lowest_end[None] >= first[:, None] + _BLOCK)
    if window is not None:
        low, high = _extremes(depth, depth[-1])
        seen &= low[:, None] - high[None] < window
        full &= high[:, None] - low[None] < window
    return BlockMask.from_kv_blocks(
        *_listed(seen & ~full),
        *_listed(full),
        BLOCK_SIZE=_BLOCK,
        mask_mod=below if window is None else near,
        seq_lengths=(size, size),
    )


def _extremes(
    values: torch.Tensor, filling: int | torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The least and the greatest of each block, the last one filled up."""
    blocks = values.new_full((-(-len(values) // _BLOCK), _BLOCK), 0) + filling
    blocks.view(-1)[: len(values)] = values
    return blocks.amin(1), blocks.amax(1)


def _listed(blocks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How many columns of each row are set, and which; shapes (1, 1, n) and (1, 1, n, n)."""
    number = blocks.sum(1, dtype=torch.int32)
    columns = blocks.int().argsort(dim=1, descending=True, stable=True).int()
    return number[None, None], columns[None, None]


@cache
def _flex_kernel() -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=True)
