"""Which tools a task is offered, and under which names: chosen for several tasks at once.

Tasks of one world that fit together share a registry (the same tools in the same order under the
same names), as the tasks of one agent do. Their prompts then begin alike, and training computes
that beginning once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tooldrill.data.tasks.mask import make_mask
from tooldrill.data.tasks.task import Mask
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.book import Draft


@dataclass(frozen=True)
class Wish:
    """What one task needs of its registry.

    Attributes:
        number: the task's number.
        masked: whether tools and parameters are to be renamed.
    """

    number: int
    world: World
    draft: Draft
    masked: bool

    @property
    def needed(self) -> list[str]:
        """The oracle's tools and those that tempt."""
        return list(dict.fromkeys([name for name, _ in self.draft.oracle] + [*self.draft.needs]))


@dataclass(frozen=True)
class Offer:
    """The tools offered, by the world's own names, and the mask over them."""

    tools: list[str]
    mask: Mask | None


def offer_tools(
    wishes: Sequence[Wish],
    tools: tuple[int, int],
    sharing: int,
    seed: int | str,
    forbidden: frozenset[str],
) -> dict[int, Offer]:
    """An offer for every wish, by task number.

    Args:
        tools: fewest and most tools; never fewer than a task needs.
        sharing: most tasks that share a registry.
        forbidden: names that no mask may make.
    """
    offers: dict[int, Offer] = {}
    for group in _groups(wishes, tools[1], sharing):
        rng = random.Random(f"tools:{seed}:{group[0].number}")
        offer = _offer(rng, group, tools, forbidden)
        offers |= {wish.number: offer for wish in group}
    return offers


def _groups(wishes: Sequence[Wish], most: int, sharing: int) -> Iterator[list[Wish]]:
    """Wishes of one world that fit into one registry, each in the first group that has room.

    Those hard to please come first, and the others join them: fewer groups are needed so.
    """
    open_groups: dict[tuple[str, bool], list[list[Wish]]] = {}
    for wish in sorted(wishes, key=_hardship, reverse=True):
        groups = open_groups.setdefault((wish.world.name, wish.masked), [])
        for group in groups:
            if len(group) < sharing and _fits([*group, wish], most):
                group.append(wish)
                break
        else:
            groups.append([wish])
    for groups in open_groups.values():
        yield from groups


def _hardship(wish: Wish) -> tuple[int, int]:
    return len(wish.draft.without), len(wish.needed)


def _fits(group: Sequence[Wish], most: int) -> bool:
    needed = {name for wish in group for name in wish.needed}
    unwanted = {name for wish in group for name in wish.draft.without}
    return len(needed) <= most and not needed & unwanted


def _offer(
    rng: random.Random, group: Sequence[Wish], tools: tuple[int, int], forbidden: frozenset[str]
) -> Offer:
    """What the group needs and random others, in random order."""
    world = group[0].world
    names = list(dict.fromkeys(name for wish in group for name in wish.needed))
    unwanted = {name for wish in group for name in wish.draft.without}
    others = [n for n in world.tool_names if n not in names and n not in unwanted]
    wanted = rng.randint(*tools) - len(names)
    names += rng.sample(others, max(0, min(wanted, len(others))))
    rng.shuffle(names)
    if not group[0].masked:
        return Offer(names, None)
    return Offer(names, make_mask(rng, world.registry.select(names), forbidden))
