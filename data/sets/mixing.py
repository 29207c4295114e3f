"""Which source each trace of a set comes from, decided before any is made.

The set is cut into blocks that can be made in any order and by any process: what a block holds
follows from the settings and its place alone. Making them is the work of `blocks`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.settings import DataFile, DataSettings

WORLDS, FORGE, HARVEST = "worlds", "forge", "harvest"
BLOCK = 100  # traces; part of what a seed means


@dataclass(frozen=True)
class BlockPlan:
    """A block of the set.

    Attributes:
        index: its place, from 0.
        counts: source to traces; a file's source is `file:N`, N its place in `data.files`.
        before: source to traces in all earlier blocks.
        pairs: preference pairs to be made.
    """

    index: int
    counts: Mapping[str, int]
    before: Mapping[str, int]
    pairs: int

    @property
    def traces(self) -> int:
        return sum(self.counts.values())


def plan_blocks(settings: DataSettings, capacities: Mapping[str, int]) -> list[BlockPlan]:
    """The blocks of a set.

    Args:
        capacities: source to the most traces it can give, for those that are limited.

    Raises:
        TooldrillError: when no source is left before the set is full.
    """
    sources = list(_in_proportion(weights(settings), settings.traces, capacities))
    plans: list[BlockPlan] = []
    before: Counter[str] = Counter()
    for index, start in enumerate(range(0, settings.traces, BLOCK)):
        counts = Counter(sources[start : start + BLOCK])
        end = start + counts.total()
        pairs = _up_to(settings, end) - _up_to(settings, start)
        plans.append(BlockPlan(index, dict(counts), dict(before), pairs))
        before += counts
    return plans


def weights(settings: DataSettings) -> dict[str, float]:
    """Source to weight, the sources of weight 0 left out.

    Raises:
        TooldrillError: when nothing is left.
    """
    mixture = settings.mixture
    found = {WORLDS: mixture.worlds, FORGE: mixture.forge, HARVEST: mixture.harvest}
    found |= {file_source(index): file.weight for index, file in enumerate(settings.files)}
    kept = {source: weight for source, weight in found.items() if weight > 0}
    if not kept:
        raise TooldrillError(
            "every source of data.mixture has the weight 0", "give one: data.mixture.worlds=1"
        )
    return kept


def file_source(index: int) -> str:
    """The source's name of the file at that place in `data.files`."""
    return f"file:{index}"


def source_file(source: str, files: Sequence[DataFile]) -> Path | None:
    """The file or folder behind a source; None when it is none of `data.files`."""
    kind, _, index = source.partition(":")
    return files[int(index)].path if kind == "file" else None


def _up_to(settings: DataSettings, traces: int) -> int:
    return settings.pairs * traces // settings.traces


def _in_proportion(
    weights: Mapping[str, float], count: int, capacities: Mapping[str, int]
) -> Iterator[str]:
    """`count` sources; after any number of them, each has its share to within one."""
    given = dict.fromkeys(weights, 0)
    for number in range(1, count + 1):
        able = {s: w for s, w in weights.items() if given[s] < capacities.get(s, count)}
        if not able:
            raise TooldrillError(
                f"the sources hold only {number - 1} traces, {count} are wanted",
                f"set data.traces={number - 1}, or give data.mixture.forge a weight",
            )
        total = sum(able.values())
        spent = sum(given[s] for s in able)
        source = max(able, key=lambda s: (able[s] / total) * (spent + 1) - given[s])
        given[source] += 1
        yield source
