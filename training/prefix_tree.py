"""Shared prefixes computed once: the rows of a batch as one packed tree of tokens.

Rows that begin alike (one registry and many tasks, one history and two replies) share a trunk. The
tree holds every distinct prefix once; a token sees its ancestors and nothing else, at the position
it has in its row. Hidden states are then handed back row by row, so that the loss and its gradients
are those of the plain computation, row for row.

This module is tensors and bookkeeping; `shared_forward` puts it under a model.
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
        visible: shape (T, T), true where the row's token may see the column's.
        places: for each row, shape (n,), where its tokens lie in the packed sequence.
    """

    tokens: torch.Tensor
    positions: torch.Tensor
    visible: torch.Tensor
    places: list[torch.Tensor]


def build_tree(rows: Sequence[Sequence[int]]) -> PrefixTree:
    """Packs rows of token ids.

    Sorted rows stand next to those they share the longest prefix with, so one pass over the
    neighbours finds every branch.
    """
    order = sorted(range(len(rows)), key=lambda i: list(rows[i]))
    tokens: list[int] = []
    positions: list[int] = []
    places: list[list[int]] = [[] for _ in rows]
    ancestors: list[tuple[int, list[tuple[int, int]]]] = []  # (run's start, spans it sees)
    previous: Sequence[int] = ()
    path: list[int] = []
    for index in order:
        row = rows[index]
        shared = _common(previous, row)
        path = path[:shared]
        start = len(tokens)
        if len(row) > shared:
            ancestors.append((start, _spans(path)))
        tokens += row[shared:]
        positions += range(shared, len(row))
        path += range(start, len(tokens))
        places[index] = list(path)
        previous = row
    return PrefixTree(
        tokens=torch.tensor(tokens),
        positions=torch.tensor(positions),
        visible=_visibility(len(tokens), ancestors),
        places=[torch.tensor(place, dtype=torch.long) for place in places],
    )


def _visibility(length: int, runs: Sequence[tuple[int, list[tuple[int, int]]]]) -> torch.Tensor:
    visible = torch.zeros(length, length, dtype=torch.bool)
    ends = [start for start, _ in runs[1:]] + [length]
    for (start, spans), end in zip(runs, ends, strict=True):
        size = end - start
        visible[start:end, start:end] = torch.ones(size, size, dtype=torch.bool).tril()
        for first, last in spans:
            visible[start:end, first:last] = True
    return visible


def _spans(path: Sequence[int]) -> list[tuple[int, int]]:
    """The path as half-open runs of consecutive places."""
    spans: list[tuple[int, int]] = []
    for place in path:
        if spans and spans[-1][1] == place:
            spans[-1] = (spans[-1][0], place + 1)
        else:
            spans.append((place, place + 1))
    return spans


def _common(left: Sequence[int], right: Sequence[int]) -> int:
    length = min(len(left), len(right))
    return next((i for i in range(length) if left[i] != right[i]), length)
