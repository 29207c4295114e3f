"""Shared prefixes computed once: the rows of a batch as one packed forest of tokens.

Rows that begin alike (one registry and many tasks, one history and two replies) share a trunk. The
forest holds every distinct prefix once, in depth-first order, so that all that follows from a token
stands in one stretch after it. A token therefore sees another exactly when it stands in the other's
stretch, and two numbers per token say everything about the attention: where its stretch ends, and
its position in its rows.

This module is bookkeeping; `tree_attention` attends by it, `shared_forward` puts it under a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class PrefixTree:
    """A batch of rows as one packed sequence of T tokens.

    Attributes:
        tokens: shape (T,), ids.
        positions: shape (T,), position of each token in its rows.
        ends: shape (T,); the tokens i, i + 1, ... `ends[i]` - 1 are the token and all that follow
            from it.
        places: for each row, shape (n,), where its tokens lie in the packed sequence.
    """

    tokens: torch.Tensor
    positions: torch.Tensor
    ends: torch.Tensor
    places: list[torch.Tensor]

    @property
    def visible(self) -> torch.Tensor:
        """Shape (T, T), true where the row's token may see the column's."""
        place = torch.arange(len(self.ends))
        return (place[None] <= place[:, None]) & (place[:, None] < self.ends[None])


def build_tree(rows: Sequence[Sequence[int]]) -> PrefixTree:
    """Packs rows of token ids.

    Sorted rows stand next to those they share the longest prefix with, so one pass over the
    neighbours finds every branch.
    """
    order = sorted(range(len(rows)), key=lambda i: list(rows[i]))
    tokens: list[int] = []
    positions: list[int] = []
    ends: list[int] = []
    places: list[list[int]] = [[] for _ in rows]
    previous: Sequence[int] = ()
    path: list[int] = []
    for index in order:
        row = rows[index]
        shared = common_prefix(previous, row)
        start = len(tokens)
        for place in path[shared:]:  # nothing more will follow from these
            ends[place] = start
        tokens += row[shared:]
        positions += range(shared, len(row))
        path = [*path[:shared], *range(start, len(tokens))]
        ends += [-1] * (len(tokens) - start)
        places[index] = path
        previous = row
    for place in path:
        ends[place] = len(tokens)
    return PrefixTree(
        tokens=torch.tensor(tokens),
        positions=torch.tensor(positions),
        ends=torch.tensor(ends),
        places=[torch.tensor(place, dtype=torch.long) for place in places],
    )


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens two rows begin with alike."""
    low, high = 0, min(len(left), len(right))
    while low < high:  # whole slices are compared at once, which is faster than token by token
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
