"""How the rows of a pack are computed: which calls of the model they make, and what that costs.

A prefix forest computes what rows share once. A model that cannot gets its rows end to end in one
sequence, or, where its layers carry a state from one row into the next, each row on its own line of
a batch. This is the arithmetic; `choose_layout` tries which of them leaves a model's numbers alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["forest", "packed", "padded", "single"]

# The kinds of layers that a mask can tell everything; others carry a state from token to token.
MASKED_LAYERS = frozenset({"attention", "full_attention", "sliding_attention"})

# What a call costs beside its tokens, in tokens: adding adapters to weights, starting kernels. On a
# GPU, which waits for its kernels to start, more is assumed; not measured.
CALL_COST, CALL_COST_ON_GPU = 48, 384
# Most tokens of a call. Measured on one core, layers 1,024 wide, forward and backward pass: four
# rows of 128 tokens take 1.05 times as long end to end under a dense mask as one by one in Gemma 2
# and 1.02 in Llama, of 384 tokens 2.3 and 1.45 times (the mask is square, and eager attention keeps
# the scores). Side by side they take 0.84 to 1.2 times as long, of 384 tokens 0.98 to 1.4 (LFM2,
# Qwen 3.5, Granite 4 hybrid: more than the caches hold). So a processor joins short rows only. A
# GPU's own number is assumed; it has no such caches, and side by side none is set.
MOST, DENSE_MOST_ON_GPU = 512, 2048

_TOLD = {
    "forest": "shared prefixes: computed once",
    "packed": "shared prefixes: computed for every row, rows packed end to end without padding",
    "padded": "shared prefixes: computed for every row, rows of like length side by side",
    "single": "shared prefixes: computed for every row, rows one by one",
}


@dataclass(frozen=True)
class Layout:
    """How a model computes rows.

    Attributes:
        kind: forest: every distinct prefix once; packed: rows end to end; padded: rows of like
            length side by side; single: one by one.
        reasons: why none of the kinds before it.
        call_cost: tokens that one more call of the model is worth.
        most: tokens of a call, a longer row excepted; None for any number.
        one_call: all rows in one call. Processes that each hold a part of the model (FSDP) meet in
            every layer, and none may call it more often than others.
    """

    kind: Kind
    reasons: tuple[str, ...] = ()
    call_cost: int = CALL_COST
    most: int | None = None
    one_call: bool = False

    @property
    def shares(self) -> bool:
        """Whether what rows share is computed once."""
        return self.kind == "forest"

    @property
    def told(self) -> str:
        """One line: which, and why."""
        since = f", since {'; '.join(self.reasons)}" if self.reasons else ""
        return _TOLD[self.kind] + since

    def bound(self, length: int, longest: int) -> int:
        """Tokens that a row takes at most, on average over a pack, where nothing is shared.

        Args:
            longest: of the rows that may be in its pack.
        """
        if self.kind != "padded":
            return length
        return longest if self.one_call else min(longest, length + self.call_cost)

    def calls(self, lengths: Sequence[int]) -> list[list[int]]:
        """Which rows are computed together, by their places in `lengths`."""
        places = list(range(len(lengths)))
        if self.kind == "single":
            return [[place] for place in places]
        if self.one_call or self.kind == "forest":
            return [places]
        if self.kind == "packed":
            return _filled(lengths, self.most)
        return _rectangles(lengths, self.call_cost, self.most)

    def computed(self, rows: Sequence[Sequence[int]]) -> int:
        """Tokens that rows make the model compute where nothing is shared, padding included."""
        lengths = [len(row) for row in rows]
        if self.kind != "padded":
            return sum(lengths)
        calls = self.calls(lengths)
        return sum(len(call) * max(lengths[place] for place in call) for call in calls)


def _filled(lengths: Sequence[int], most: int | None) -> list[list[int]]:
    """Rows in turn, as many to a call as it holds; a longer one is alone."""
    calls: list[list[int]] = []
    room = 0
    for place, length in enumerate(lengths):
        if calls and (most is None or length <= room):
            calls[-1].append(place)
        else:
            calls.append([place])
            room = most or 0
        room -= length
    return calls


def _rectangles(lengths: Sequence[int], call_cost: int, most: int | None) -> list[list[int]]:
    """Batches of rows of like length, the fewest tokens and calls in all.

    Sorted by length, a cut after each row would add no padding and cost a call each; a cut is left
    out only where the padding is cheaper. So padding never exceeds a call's cost for each row.
    """
    order = sorted(range(len(lengths)), key=lambda place: lengths[place])
    best = [0]
    starts = [0]
    for stop in range(1, len(order) + 1):
        width = lengths[order[stop - 1]]
        first = 0 if most is None else max(0, min(stop - 1, stop - most // width))
        costs = {
            start: best[start] + call_cost + (stop - start) * width for start in range(first, stop)
        }
        starts.append(min(costs, key=costs.__getitem__))
        best.append(costs[starts[-1]])
    calls: list[list[int]] = []
    stop = len(order)
    while stop:
        calls.append(order[starts[stop] : stop])
        stop = starts[stop]
    return calls


FOREST = Layout("forest")
