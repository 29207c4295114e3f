"""Which part of a prompt need not be computed: every slot's tokens, and what slots share.

A slot is one sequence of llama.cpp's cache. A new episode takes over the longest beginning that any
slot has decoded as a prompt; an episode that goes on keeps its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tooldrill.agent.engines.sequences import BATCH, Sequences

# The end of a prompt is always decoded, in a batch large enough for the same kernels as the rest.
_LEAST_DECODED = 16
# States that are shared lie at multiples of this: recurrent kernels work in blocks of that length,
# and so compute the same from there as from the beginning.
_GRID = 64
_MOST_SHARED = 3  # states that a slot keeps for others


@dataclass(frozen=True)
class Mark:
    """A recurrent state after the first `length` tokens of a sequence.

    Attributes:
        shared: it may be used for other episodes; the end of a prompt serves its own only.
    """

    length: int
    state: bytes
    shared: bool


@dataclass
class Slot:
    """One sequence of llama.cpp's cache.

    Attributes:
        key: the episode that it belongs to, None when free.
        cached: tokens whose cache is computed.
        pending: tokens still to be decoded.
        opening: how many of `cached` were decoded as the episode's first prompt.
        marks: where a recurrent state was kept.
        mark_at: where decoding has to pause for the next one.
        used: a clock; the slot used longest ago is taken first.
    """

    number: int
    key: str | None = None
    cached: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    opening: int = 0
    marks: list[Mark] = field(default_factory=list)
    mark_at: int | None = None
    used: int = 0


class Prefixes:
    """The slots of a context.

    Args:
        sequences: the context.
        count: how many sequences it has.
    """

    def __init__(self, sequences: Sequences, count: int) -> None:
        self._sequences = sequences
        self.slots = [Slot(number) for number in range(count)]

    def begin(self, slot: Slot, tokens: list[int], *, resumed: bool) -> int:
        """Fits the slot's cache to a prompt; what is not in it becomes `pending`.

        Args:
            resumed: the prompt goes on with the episode that the slot holds.

        Returns:
            How many tokens need not be computed.
        """
        most = max(0, len(tokens) - _LEAST_DECODED)
        if self._sequences.rewinds:
            kept = self._rewound(slot, tokens, most, resumed=resumed)
        else:
            branch = min(most, self._branch(slot, tokens, resumed=resumed)) // _GRID * _GRID
            kept = self._restored(slot, tokens, most, resumed=resumed)
            slot.mark_at = branch if branch > kept else None
        slot.cached, slot.pending = tokens[:kept], tokens[kept:]
        if not resumed:
            slot.opening = len(tokens)
        return kept

    def next_chunk(self, slot: Slot) -> list[int]:
        """Takes the tokens of the prompt that are to be decoded next."""
        left = len(slot.pending)
        size = min(left, BATCH)
        if 0 < left - size < _LEAST_DECODED:
            size -= _GRID
        if slot.mark_at is not None:
            size = min(size, slot.mark_at - len(slot.cached))
        chunk, slot.pending = slot.pending[:size], slot.pending[size:]
        return chunk

    def decoded(self, slot: Slot, chunk: Sequence[int], *, prompt: bool) -> None:
        """Notes that tokens of the slot are in the cache now."""
        slot.cached.extend(chunk)
        if self._sequences.rewinds or not prompt:
            return
        length = len(slot.cached)
        if length == slot.mark_at:
            self._mark(slot, Mark(length, self._sequences.snapshot(slot.number), shared=True))
            slot.mark_at = None
        elif not slot.pending:
            self._mark(slot, Mark(length, self._sequences.snapshot(slot.number), shared=False))

    def swap(self, slot: Slot, free: Slot) -> None:
        """Gives a slot the sequence of a free one, which gets its own, cache and all."""
        self._sequences.copy(slot.number, free.number)
        slot.number, free.number = free.number, slot.number
        free.cached, free.opening = list(slot.cached), slot.opening
        free.marks, free.pending, free.mark_at = list(slot.marks), [], None

    def _rewound(self, slot: Slot, tokens: list[int], most: int, *, resumed: bool) -> int:
        """Keeps or copies the longest cached prefix by taking back what comes after it."""
        own = common(slot.cached if resumed else self._opening(slot), tokens)
        best = max(self.slots, key=lambda other: common(self._opening(other), tokens))
        shared = common(self._opening(best), tokens)
        if best is not slot and shared > own:
            self._sequences.copy(best.number, slot.number)
            own = shared
        return self._truncated(slot, min(own, most))

    def _restored(self, slot: Slot, tokens: list[int], most: int, *, resumed: bool) -> int:
        """Goes on at the end of the sequence, or at the furthest state that was kept."""
        end = len(slot.cached)
        if resumed and 0 < end <= most and tokens[:end] == slot.cached:
            return end
        fitting = [
            (mark, other)
            for other in self.slots
            for mark in other.marks
            if mark.length <= most
            and (mark.shared or (other is slot and resumed))
            and common(other.cached, tokens) >= mark.length
        ]
        if not fitting:
            slot.marks = []
            self._sequences.clear(slot.number)
            return 0
        mark, source = max(fitting, key=lambda one: (one[0].length, one[1] is slot))
        slot.marks = [
            one
            for one in source.marks
            if one.length <= mark.length and (one.shared or source is slot)
        ]
        if source is not slot:
            self._sequences.copy(source.number, slot.number)
        if self._sequences.restore(slot.number, mark.state, mark.length):
            return mark.length
        slot.marks = []
        self._sequences.clear(slot.number)
        return 0

    def _branch(self, slot: Slot, tokens: list[int], *, resumed: bool) -> int:
        """Where the prompt leaves what was decoded before: the next one may leave it there too."""
        if resumed:
            return common(slot.cached, tokens)
        return max(common(self._opening(other), tokens) for other in self.slots)

    def _truncated(self, slot: Slot, length: int) -> int:
        if self._sequences.truncate(slot.number, length):
            return length
        self._sequences.clear(slot.number)
        return 0

    def _opening(self, slot: Slot) -> list[int]:
        # Of other episodes only what was decoded as a prompt, as it would be here.
        return slot.cached[: slot.opening]

    def _mark(self, slot: Slot, mark: Mark) -> None:
        """Adds a state; only the newest are kept, and of prompts' ends only the last one."""
        alike = [one for one in slot.marks if one.shared == mark.shared]
        others = [one for one in slot.marks if one.shared != mark.shared]
        most = _MOST_SHARED if mark.shared else 1
        slot.marks = others + [*alike, mark][-most:]


def common(left: list[int], right: list[int]) -> int:
    """Length of the common prefix."""
    length = min(len(left), len(right))
    if left[:length] == right[:length]:
        return length
    return next(i for i in range(length) if left[i] != right[i])
