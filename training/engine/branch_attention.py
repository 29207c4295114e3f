"""Attention over a prefix forest on a processor: no pair is computed that nobody sees.

A forest's tokens stand in depth-first order, so those that follow from a run of tokens stand in one
stretch right after it. All of them see the whole run: one plain product without a mask, however
many branches they belong to. Within the run attention is causal. So a forest is a list of such
visits, and a token's softmax over all its ancestors is put together from the visits' by their
log-sum-exps. The backward pass of each visit takes the whole softmax: p = exp(s - lse), as in
FlashAttention-2 (arXiv:2307.08691, section 3.1).

Torch's kernel for processors does the products; `tree_attention` decides when this is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import once_differentiable

Span = tuple[int, int]

# The kernel computes the vain half of causal attention as well; longer runs are halved for it.
_LEAF = 192

_forward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


@dataclass(frozen=True)
class Visit:
    """A stretch of n queries that see a run of m keys.

    Attributes:
        queries: half-open span of places; keys: likewise.
        causal: the two are the same run, and each token sees what stands before it.
        mask: additive, shape (n, m); None where each query sees every key (or all before it).
        blind: shape (n,), the queries that see none of the keys; None where there are none.
    """

    queries: Span
    keys: Span
    causal: bool = False
    mask: torch.Tensor | None = None
    blind: torch.Tensor | None = None


def plan_visits(
    ends: torch.Tensor, positions: torch.Tensor, window: int | None, dtype: torch.dtype
) -> list[Visit]:
    """All visits of a forest; those within runs come first and meet every token once.

    Args:
        ends: shape (T,), see `PrefixTree.ends`; positions: shape (T,).
        window: how many tokens back is seen, itself included; None for all.
        dtype: of the queries.
    """
    within: list[Visit] = []
    across: list[Visit] = []
    for start, stop, end in _runs(ends.tolist()):
        for first, last in _halved(start, stop, _LEAF):
            run = (first, last)
            if window is None or last - first <= window:
                within.append(Visit(run, run, causal=True))
            else:
                within.append(_masked(run, run, positions, window, dtype))
        looks = [*_backwards(start, stop, _LEAF), ((stop, end), (start, stop))]
        for queries, keys in looks:
            visit = _across(queries, keys, positions, window, dtype)
            across += [visit] if visit else []
    return within + across


def _halved(start: int, stop: int, leaf: int) -> list[Span]:
    """A run in halves of halves, none longer than a leaf."""
    if stop - start <= leaf:
        return [(start, stop)]
    middle = (start + stop) // 2
    return _halved(start, middle, leaf) + _halved(middle, stop, leaf)


def _backwards(start: int, stop: int, leaf: int) -> list[tuple[Span, Span]]:
    """For all those halves, the later one's look at the earlier one: queries and keys."""
    if stop - start <= leaf:
        return []
    middle = (start + stop) // 2
    both = ((middle, stop), (start, middle))
    return [both, *_backwards(start, middle, leaf), *_backwards(middle, stop, leaf)]


def _runs(ends: Sequence[int]) -> list[tuple[int, int, int]]:
    """Maximal runs of tokens with the same followers: start, stop, where the last follower ends."""
    found: list[tuple[int, int, int]] = []
    start = 0
    for place in range(1, len(ends) + 1):
        if place == len(ends) or ends[place] != ends[start] or ends[place - 1] <= place:
            found.append((start, place, ends[start]))
            start = place
    return found


def _across(
    queries: Span,
    keys: Span,
    positions: torch.Tensor,
    window: int | None,
    dtype: torch.dtype,
) -> Visit | None:
    """Followers looking back on a run; None without any, or when it lies outside the window."""
    if queries[0] == queries[1]:
        return None
    if window is None:
        return Visit(queries, keys)
    rows, columns = positions[slice(*queries)], positions[slice(*keys)]
    if int(rows.max() - columns.min()) < window:
        return Visit(queries, keys)
    if int(rows.min() - columns.max()) >= window:
        return None
    return _masked(queries, keys, positions, window, dtype)


def _masked(
    queries: Span,
    keys: Span,
    positions: torch.Tensor,
    window: int,
    dtype: torch.dtype,
) -> Visit:
    distance = positions[slice(*queries)][:, None] - positions[slice(*keys)][None]
    seen = (distance >= 0) & (distance < window)
    mask = torch.zeros(seen.shape, dtype=dtype).masked_fill_(~seen, float("-inf"))
    blind = ~seen.any(1)
    return Visit(queries, keys, mask=mask, blind=blind if bool(blind.any()) else None)


class BranchAttention(torch.autograd.Function):
    """Queries (1, H, T, D) on keys and values (1, K, T, D), H a multiple of K, by visits."""

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd passes by position
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        visits: Sequence[Visit],
        scale: float | None,
    ) -> torch.Tensor:
        """The output, shape (1, H, T, D)."""
        _, heads, size, width = query.shape
        # In memory a token's heads stand together, as the kernel and the model want them.
        out = torch.empty(1, size, heads, width).transpose(1, 2)
        lse = torch.empty(1, size, heads).transpose(1, 2)
        met = 0
        for visit in visits:
            rows, columns = slice(*visit.queries), slice(*visit.keys)
            part, part_lse = _forward(
                query[:, :, rows],
                key[:, :, columns],
                value[:, :, columns],
                is_causal=visit.causal,
                attn_mask=visit.mask,
                scale=scale,
            )
            if visit.blind is not None:
                part_lse = part_lse.masked_fill(visit.blind, float("-inf"))
            if visit.queries == visit.keys:
                out[:, :, rows], lse[:, :, rows] = part, part_lse
                met += visit.queries[1] - visit.queries[0]
            else:
                _add(out[:, :, rows], lse[:, :, rows], part, part_lse)
        assert met == size, "every token sees itself"
        out = out.to(query.dtype)
        ctx.save_for_backward(query, key, value, out, lse)
        ctx.visits, ctx.scale = visits, scale
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, out, lse = ctx.saved_tensors
        # Summed in float32, whatever the type of the parts.
        grads = [torch.empty_like(t, dtype=torch.float32) for t in (query, key, value)]
        for visit in ctx.visits:
            rows, columns = slice(*visit.queries), slice(*visit.keys)
            parts = _backward(
                grad[:, :, rows],
                query[:, :, rows],
                key[:, :, columns],
                value[:, :, columns],
                out[:, :, rows],
                lse[:, :, rows],
                0.0,
                visit.causal,
                attn_mask=visit.mask,
                scale=ctx.scale,
            )
            for total, part, span in zip(grads, parts, (rows, columns, columns), strict=True):
                if visit.queries == visit.keys:
                    total[:, :, span] = part
                else:
                    total[:, :, span] += part
        return *(total.to(query.dtype) for total in grads), None, None


def _add(out: torch.Tensor, lse: torch.Tensor, part: torch.Tensor, part_lse: torch.Tensor) -> None:
    """One softmax out of two over different keys, into the first: (1, H, n, D) and (1, H, n)."""
    total = torch.logaddexp(lse, part_lse)
    out.mul_((lse - total).exp_()[..., None])
    out.addcmul_(part.to(out.dtype), (part_lse - total).exp_()[..., None])
    lse.copy_(total)
