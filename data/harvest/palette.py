"""Which operations stand beside each other in a registry: siblings that share parameters first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from tooldrill.data.harvest.catalog import (
    HarvestedService,
    full_name,
    parameter_set,
    pick_service,
    service,
    training_surface,
)
from tooldrill.data.harvest.operation import Operation
from tooldrill.data.harvest.prose import words
from tooldrill.data.harvest.wording import asked
from tooldrill.data.tasks.task import Split
from tooldrill.data.values.names import Draw

MOST_TOOLS = 12
_LOOKED_AT = 24  # operations converted for one registry at most
_STRANGERS = 2
_NEIGHBOURS = 0.15  # how often tools of another service join
_RARELY = 0.8  # how often an operation that every service has is passed over
_EVERYWHERE = frozenset({"tag", "iam"})
_SOURCE_WEIGHTS = {"aws": 0.5, "google": 0.4, "stdlib": 0.1}


def draw_source(draw: Draw, sources: Sequence[str]) -> str:
    """One of the sources, by weight."""
    return draw.rng.choices(sources, [_SOURCE_WEIGHTS[name] for name in sources])[0]


def draw_service(draw: Draw, source: str, split: Split) -> str:
    """The name of one of the services of the split."""
    return pick_service(source, split, draw.rng.random())


def usable(operation: Operation | None, split: Split) -> bool:
    """Whether the operation may be shown on this side of the split."""
    if operation is None or not operation.description:
        return False
    if split is Split.TRAIN:
        return True
    names, sets = training_surface()
    return full_name(operation) not in names and parameter_set(operation) not in sets


def draw_operations(draw: Draw, home: HarvestedService, split: Split) -> list[Operation]:
    """The operation that is wanted, then its siblings; at least two operations or none."""
    names = draw.sample(home.names, min(len(home.names), _LOOKED_AT))
    target = next(_usable(draw, home, names, split), None)
    if target is None:
        return []
    count = draw.number(1, MOST_TOOLS - 1)
    others = sorted(names, key=lambda name: -_likeness(home, target.key, name))
    alike = round(count * 0.7)
    # The most alike first, then whatever there is.
    rest = others[alike:]
    others = others[:alike] + draw.sample(rest, len(rest))
    found = {asked(target).key: target}
    joined = count > _STRANGERS and draw.chance(_NEIGHBOURS)
    for sibling in _usable(draw, home, others, split):
        if len(found) > (count - _STRANGERS if joined else count):
            break
        # Two that one request could mean do not stand together.
        found.setdefault(asked(sibling).key, sibling)
    if joined or len(found) < 2:
        for stranger in _strangers(draw, home, split):
            found.setdefault(asked(stranger).key, stranger)
    return list(found.values())


def _usable(
    draw: Draw, home: HarvestedService, names: Sequence[str], split: Split
) -> Iterator[Operation]:
    for name in names:
        operation = home.operation(name)
        if operation is None or not usable(operation, split):
            continue
        if is_everywhere(operation) and draw.chance(_RARELY):
            continue
        yield operation


def is_everywhere(operation: Operation) -> bool:
    """Whether nearly every service has the same operation, so that there would be thousands."""
    things = asked(operation).things
    return operation.resource in ("operations", "locations") or not _EVERYWHERE.isdisjoint(things)


def _strangers(draw: Draw, home: HarvestedService, split: Split) -> Iterator[Operation]:
    """A few operations of another service of the same source."""
    other = service(draw_service(draw, home.source, split))
    if other.name != home.name:
        names = draw.sample(other.names, min(len(other.names), 4))
        yield from islice(_usable(draw, other, names, split), _STRANGERS)


def _likeness(home: HarvestedService, target: str, name: str) -> float:
    one, other = home.parameter_names(target), home.parameter_names(name)
    if name == target:
        return -1
    shared = len(one & other)
    alike = set(words(target.rpartition(".")[2])[1:]) & set(words(name.rpartition(".")[2])[1:])
    return shared + 2 * len(alike)
