"""Which examples are computed together: optimizer steps of equal size, cut into packs that fit.

How many examples a step learns from is a matter of learning and belongs to the recipe; how many
tokens are computed at once is a matter of memory and belongs to the machine. So each step's
examples, neighbours sharing prefixes, are cut into as few packs as fit, each a micro-batch.
Trainers want the same number of micro-batches in every step, so shorter steps begin with empty
ones, which are not computed. Everything is planned before training begins: a run that is resumed,
or spread over processes, meets the same examples in the same steps.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tooldrill.training.engine.layout import CALL_COST, FOREST, Layout
from tooldrill.training.engine.prefix_tree import common_prefix

Rows = Sequence[Sequence[int]]


@dataclass(frozen=True)
class StepPlan:
    """What is learned in which order.

    Attributes:
        packs: indices of examples, `packs_per_step` packs for each optimizer step in turn; empty
            ones come first in a step, as many of them for every process.
        packs_per_step: micro-batches of a step.
        tokens: computed in all packs: what shared prefixes save left out, padding included.
    """

    packs: list[list[int]]
    packs_per_step: int
    tokens: int

    @property
    def steps(self) -> int:
        return len(self.packs) // self.packs_per_step

    def step_size(self, pack: int) -> int:
        """Examples of the step that a pack, given by its place in `packs`, belongs to."""
        first = pack - pack % self.packs_per_step
        return sum(len(members) for members in self.packs[first : first + self.packs_per_step])


def plan_steps(
    examples: Sequence[Rows],
    groups: Sequence[str],
    *,
    batch_size: int,
    budget: int,
    layout: Layout = FOREST,
    steps: int | None = None,
    epochs: float = 1.0,
    processes: int = 1,
    seed: int = 0,
) -> StepPlan:
    """Plans a whole training run.

    Args:
        examples: the token ids of each, one row for SFT, a row for each reply for a preference.
        groups: what each example shares with others (its registry, say).
        batch_size: most examples of an optimizer step.
        budget: most tokens of a pack; an example that is longer is a pack of its own.
        layout: how a pack is computed, and so what it takes: its forest, or all of its rows.
        steps: optimizer steps; None for as many as `epochs` need.
        processes: how many share the packs of a step.
        seed: of the order; each epoch has another one.
    """
    per_epoch = -(-len(examples) // batch_size)
    if processes > 1:  # every process needs an example in every step
        per_epoch = max(1, min(per_epoch, len(examples) // processes))
    wanted = steps if steps is not None else max(1, round(per_epoch * epochs))
    ordered: list[list[int]] = []
    epoch = 0
    while len(ordered) < wanted:
        ordered += _epoch(examples, groups, per_epoch, random.Random(f"{seed} {epoch}"))
        epoch += 1
    if layout.kind == "padded":  # rows of like length need the least padding
        ordered = [sorted(step, key=lambda i: sum(map(len, examples[i]))) for step in ordered]
    cut = [_packs(examples, members, budget, processes, layout) for members in ordered[:wanted]]
    count = max(map(len, cut))
    packs: list[list[int]] = []
    for made in cut:
        packs += [[] for _ in range(count - len(made))] + made
    tokens = sum(_computed(examples, pack, layout) for pack in packs if pack)
    return StepPlan(packs, count, tokens)


def _packs(
    examples: Sequence[Rows], members: list[int], budget: int, processes: int, layout: Layout
) -> list[list[int]]:
    """A step's packs: as little to compute as fits, or for several processes even shares."""
    sizes = _sizes(examples, members) if layout.shares else _bounds(examples, members, layout)
    cuts = _cheapest(sizes, budget)
    if processes > 1:
        wanted = -(-len(cuts) // processes) * processes
        cuts = _even(sizes, max(1, min(wanted, len(members) - len(members) % processes)))
    return [members[first:last] for first, last in cuts]


def _epoch(
    examples: Sequence[Rows], groups: Sequence[str], steps: int, rng: random.Random
) -> list[list[int]]:
    """Every example once, in `steps` steps whose sizes differ by one at most.

    Groups, their members and the steps are shuffled: only neighbours in a step are related.
    """
    bounds = [len(examples) * step // steps for step in range(steps + 1)]
    sizes = [last - first for first, last in pairwise(bounds)]
    members: dict[str, list[int]] = {}
    for index, name in enumerate(groups):
        members.setdefault(name, []).append(index)
    found = list(members.values())
    rng.shuffle(found)
    for group in found:
        rng.shuffle(group)
    made = _filled(found, sizes)
    rng.shuffle(made)
    # In order of their tokens, those that share the longest prefixes are neighbours.
    return [sorted(step, key=lambda index: list(examples[index][0])) for step in made]


def _filled(groups: Sequence[list[int]], sizes: Sequence[int]) -> list[list[int]]:
    """Steps of the given sizes out of whole groups as far as possible; their sum is all members.

    A step takes the largest groups that still fit, so that the small ones are left to fill gaps.
    What is cut off a group when none fits goes on as a group of its own.
    """
    by_size: dict[int, deque[list[int]]] = {}
    widest = max(sizes)
    for group in groups:
        for first in range(0, len(group), widest):
            part = group[first : first + widest]
            by_size.setdefault(len(part), deque()).append(part)
    steps: list[list[int]] = []
    for size in sizes:
        step: list[int] = []
        while len(step) < size:
            room = size - len(step)
            fitting = [length for length, kept in by_size.items() if kept and length <= room]
            if fitting:
                step += by_size[max(fitting)].popleft()
                continue
            length = min(length for length, kept in by_size.items() if kept)
            group = by_size[length].popleft()
            step += group[:room]
            by_size.setdefault(length - room, deque()).append(group[room:])
        steps.append(step)
    return steps


def _sizes(examples: Sequence[Rows], members: Sequence[int]) -> list[tuple[int, int]]:
    """Of each member: its tokens alone, and those that it adds to the member before it."""
    sizes: list[tuple[int, int]] = []
    before: Rows = ()
    for index in members:
        rows = examples[index]
        alone = len(rows[0]) + sum(len(row) - common_prefix(rows[0], row) for row in rows[1:])
        shared = common_prefix(before[0], rows[0]) if before else 0
        sizes.append((alone, alone - shared))
        before = rows
    return sizes


def _bounds(
    examples: Sequence[Rows], members: Sequence[int], layout: Layout
) -> list[tuple[int, int]]:
    """The same where nothing is shared: all rows, with the padding that they may come with."""
    longest = max(len(row) for index in members for row in examples[index])
    sizes = [sum(layout.bound(len(row), longest) for row in examples[index]) for index in members]
    return [(size, size) for size in sizes]


def _computed(examples: Sequence[Rows], pack: Sequence[int], layout: Layout) -> int:
    """Tokens that a pack makes the model compute."""
    if not layout.shares:
        return layout.computed([row for index in pack for row in examples[index]])
    sizes = _sizes(examples, pack)
    return sizes[0][0] + sum(added for _, added in sizes[1:])


def _cheapest(sizes: Sequence[tuple[int, int]], budget: int) -> list[tuple[int, int]]:
    """Stretches that fit, with the fewest tokens in all: cut where little is shared."""
    best = [0.0] + [math.inf] * len(sizes)
    starts = [0] * (len(sizes) + 1)
    for first in range(len(sizes)):
        filled = sizes[first][0]
        for last in range(first + 1, len(sizes) + 1):
            if last > first + 1:
                filled += sizes[last - 1][1]
                if filled > budget:
                    break
            cost = best[first] + filled + CALL_COST
            if cost < best[last]:
                best[last], starts[last] = cost, first
    cuts: list[tuple[int, int]] = []
    last = len(sizes)
    while last:
        cuts.append((starts[last], last))
        last = starts[last]
    return cuts[::-1]


def _even(sizes: Sequence[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """`count` stretches, none empty, the longest of them as short as possible."""
    low, high = 1, sum(alone for alone, _ in sizes)
    while low < high:
        middle = (low + high) // 2
        if _packs_needed(sizes, middle) <= count and max(alone for alone, _ in sizes) <= middle:
            high = middle
        else:
            low = middle + 1
    starts, filled = [0], sizes[0][0]
    for index, (alone, added) in enumerate(sizes[1:], 1):
        left = count - len(starts)
        if left and (filled + added > low or len(sizes) - index == left):
            starts.append(index)
            filled = alone
        else:
            filled += added
    return list(zip(starts, [*starts[1:], len(sizes)], strict=True))


def _packs_needed(sizes: Sequence[tuple[int, int]], budget: int) -> int:
    packs, filled = 0, budget + 1
    for alone, added in sizes:
        if filled + added > budget:
            packs, filled = packs + 1, alone
        else:
            filled += added
    return packs
