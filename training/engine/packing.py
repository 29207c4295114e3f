"""Which examples are computed together: optimizer steps of equal size, cut into packs that fit.

How many examples a step learns from is a matter of learning and belongs to the recipe; how many
tokens are computed at once is a matter of memory and belongs to the machine. So each step's
examples, neighbours sharing prefixes, are cut into the same number of packs, each a micro-batch.
Everything is planned before training begins: a run that is resumed, or spread over processes, meets
the same examples in the same steps.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tooldrill.training.engine.prefix_tree import common_prefix

Rows = Sequence[Sequence[int]]


@dataclass(frozen=True)
class StepPlan:
    """What is learned in which order.

    Attributes:
        packs: indices of examples, `packs_per_step` of them for each optimizer step in turn.
        packs_per_step: micro-batches of a step.
        tokens: of all packs, what shared prefixes save left out.
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
        steps: optimizer steps; None for as many as `epochs` need.
        processes: how many share the packs of a step.
        seed: of the order; each epoch has another one.
    """
    per_epoch = -(-len(examples) // batch_size)
    wanted = steps if steps is not None else max(1, round(per_epoch * epochs))
    ordered: list[list[int]] = []
    epoch = 0
    while len(ordered) < wanted:
        ordered += _epoch(examples, groups, per_epoch, random.Random(f"{seed} {epoch}"))
        epoch += 1
    ordered = ordered[:wanted]
    sizes = [_sizes(examples, members) for members in ordered]
    needed = max(_packs_needed(step, budget) for step in sizes)
    smallest = min(map(len, ordered))
    count = max(1, min(-(-needed // processes) * processes, smallest - smallest % processes))
    packs = [
        members[first:last]
        for members, step in zip(ordered, sizes, strict=True)
        for first, last in _cut(step, count)
    ]
    return StepPlan(packs, count, sum(_tokens(_sizes(examples, pack)) for pack in packs))


def _epoch(
    examples: Sequence[Rows], groups: Sequence[str], steps: int, rng: random.Random
) -> list[list[int]]:
    """Every example once, in `steps` steps whose sizes differ by one at most.

    Groups, their members and the steps are shuffled: only neighbours in a step are related.
    """
    members: dict[str, list[int]] = {}
    for index, name in enumerate(groups):
        members.setdefault(name, []).append(index)
    found = list(members.values())
    rng.shuffle(found)
    for group in found:
        rng.shuffle(group)
    flat = [index for group in found for index in group]
    bounds = [len(flat) * step // steps for step in range(steps + 1)]
    cut = [flat[first:last] for first, last in pairwise(bounds)]
    rng.shuffle(cut)
    # In order of their tokens, those that share the longest prefixes are neighbours.
    return [sorted(step, key=lambda index: list(examples[index][0])) for step in cut]


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


def _tokens(sizes: Sequence[tuple[int, int]]) -> int:
    """Tokens of a pack of these members, the first of them whole."""
    return sizes[0][0] + sum(added for _, added in sizes[1:])


def _packs_needed(sizes: Sequence[tuple[int, int]], budget: int) -> int:
    packs, filled = 0, budget + 1
    for alone, added in sizes:
        if filled + added > budget:
            packs, filled = packs + 1, alone
        else:
            filled += added
    return packs


def _cut(sizes: Sequence[tuple[int, int]], count: int) -> list[tuple[int, int]]:
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
