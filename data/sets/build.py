"""The data stage: settings in, a folder with the SFT and DPO sets out.

Everything follows from the seed: the same settings give the same bytes, whatever the number of
processes. The folder appears whole or not at all; what was made before an interruption is kept
beside it and used. Rows are streamed: memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tooldrill.agent.atomic import atomic_directory
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress, silent
from tooldrill.data.sets.card import data_card
from tooldrill.data.sets.extra_rows import capacities, extra_rows
from tooldrill.data.sets.leaks import heldout, shares_tools
from tooldrill.data.sets.mixing import BlockPlan, plan_blocks
from tooldrill.data.sets.parts import make_parts, parts_folder, read_part
from tooldrill.data.sets.stats import Stats, shown_length
from tooldrill.data.sets.writing import Row, SetWriter
from tooldrill.data.settings import DataSettings
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.catalog import get_world, world_names


@dataclass(frozen=True)
class DataSummary:
    """What a build made.

    Attributes:
        traces: rows of the SFT set.
        pairs: rows of the DPO set; 0 when none were asked for, and then there is no such file.
        dropped: traces that were not taken: their task was not solved, they were there already, are
            too long, or offer a tool of a held-out world.
        sft: counts of the SFT set; dpo those of the DPO set.
        files: names of the files in the folder.
    """

    traces: int
    pairs: int
    dropped: int
    sft: Stats
    dpo: Stats | None
    files: tuple[str, ...]


def build(settings: DataSettings, out: Path, progress: Progress = silent) -> DataSummary:
    """Makes the data set and writes it to `out`, replacing what was there.

    Raises:
        TooldrillError: for a world that is unknown or held out, a tool range that is none, a
            package to harvest from that is not installed, or when nothing came out.
    """
    _check(settings)
    plans = plan_blocks(settings, capacities(settings))
    with parts_folder(settings, plans, out) as parts:
        make_parts(settings, plans, parts, progress)
        return _write(settings, plans, parts, out)


def _check(settings: DataSettings) -> None:
    trainable = world_names(Split.TRAIN)
    for name in settings.worlds:
        if get_world(name).split is not Split.TRAIN:
            raise TooldrillError(
                f"data.worlds: {name!r} is held out for evaluation and must not be trained on",
                f"name worlds among {', '.join(trainable)}",
            )
    fewest, most = settings.tools
    if not 1 <= fewest <= most:
        raise TooldrillError(
            f"data.tools: from {fewest} to {most} is not a range of tools",
            "write the fewest first, at least 1: data.tools=[2,6]",
        )
    if settings.mixture.harvest > 0:
        from tooldrill.data.harvest import need_every_package

        need_every_package()


def _write(
    settings: DataSettings, plans: Sequence[BlockPlan], parts: Path, out: Path
) -> DataSummary:
    dropped = 0
    gate = _Gate(settings.longest)
    with atomic_directory(out) as folder:
        with ExitStack() as stack:
            sft = stack.enter_context(SetWriter(folder / "sft"))
            dpo = stack.enter_context(SetWriter(folder / "dpo"))
            for plan, extra in zip(plans, extra_rows(settings, plans), strict=True):
                part = read_part(parts, plan.index)
                dropped += part["dropped"]
                dropped += _add(sft, [*part["sft"], *extra.sft], gate)
                _add(dpo, [*part["dpo"], *extra.dpo], gate)
        if gate.shortest is not None:
            raise TooldrillError(
                f"every row is longer than data.longest ({settings.longest} characters)",
                f"raise it: the shortest row has {gate.shortest} characters",
            )
        if not sft.rows:
            raise TooldrillError(
                "the data set would be empty: no trace passed its checker",
                "raise data.traces, or name other worlds in data.worlds",
            )
        if settings.pairs and not dpo.rows:
            raise TooldrillError(
                "no preference pair could be made of these traces",
                "raise data.traces, or set data.pairs=0 to do without",
            )
        counted = sft.stats(), dpo.stats() if dpo.rows else None
        (folder / "data_card.md").write_text(data_card(settings, *counted), "utf-8")
        files = tuple(sorted(path.name for path in folder.iterdir()))
    return DataSummary(sft.rows, dpo.rows, dropped, *counted, files)


class _Gate:
    """Lets rows into the set that are short enough and share no tool with the held-out worlds."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._lengths: list[int] = []

    @property
    def shortest(self) -> int | None:
        """Characters of the shortest row, where even that was too long."""
        return min((n for n in self._lengths if n > self._longest), default=None)

    def lets(self, row: Row) -> bool:
        """Whether the row may be added."""
        # One length is enough to know the shortest.
        self._lengths = [min([shown := shown_length(row), *self._lengths])]
        return shown <= self._longest and not shares_tools(row, heldout())


def _add(writer: SetWriter, rows: Sequence[Row], gate: _Gate) -> int:
    """Adds the rows that are new and may be added; returns how many were not added."""
    return sum(not (gate.lets(row) and writer.add(row)) for row in rows)
