"""Rows that were made elsewhere and are mixed into a set: ingested, a teacher's, own failures.

They are taken as they stand, in a random order that the seed decides, each at most once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.sets.mixing import BlockPlan, file_source
from tooldrill.data.sets.reading import PAIR_COLUMNS, SFT_COLUMNS, read_rows
from tooldrill.data.settings import DataSettings

Row = dict[str, Any]

# The columns of our own rows, in their order; what a row lacks is empty.
_TEXTS = ("trace_id", "world", "split", "template", "kind", "violation")
_COLUMNS = {
    "sft": (*SFT_COLUMNS, *_TEXTS, "source"),
    "dpo": (*PAIR_COLUMNS, *_TEXTS, "variant", "source"),
}


@dataclass
class ExtraRows:
    """What files add to one block."""

    sft: list[Row] = field(default_factory=list)
    dpo: list[Row] = field(default_factory=list)


def capacities(settings: DataSettings) -> dict[str, int]:
    """How many traces each file of `data.files` can give, by source."""
    return {
        file_source(index): len(_rows(file.path, "sft", settings.seed))
        for index, file in enumerate(settings.files)
    }


def extra_rows(settings: DataSettings, plans: Sequence[BlockPlan]) -> Iterator[ExtraRows]:
    """What the files add to each block; their pairs are spread evenly over all blocks."""
    traces = {
        file_source(index): iter(_rows(file.path, "sft", settings.seed))
        for index, file in enumerate(settings.files)
    }
    pairs = [row for file in settings.files for row in _rows(file.path, "dpo", settings.seed)]
    for plan in plans:
        made = ExtraRows()
        for source, rows in traces.items():
            made.sft += islice(rows, plan.counts.get(source, 0))
        first, last = (len(pairs) * (plan.index + at) // len(plans) for at in (0, 1))
        made.dpo = pairs[first:last]
        yield made


def _rows(path: Path, name: str, seed: int) -> list[Row]:
    """The file's rows of that set in random order; none when there is no such set in it."""
    file = path / f"{name}.jsonl" if path.is_dir() else path
    if path.is_dir() and not file.exists():
        _require_a_set(path)
        return []
    rows = read_rows(file)
    needed = SFT_COLUMNS if name == "sft" else PAIR_COLUMNS
    if not all(column in rows[0] for column in needed):
        return []
    random.Random(f"rows {seed} {path.name}").shuffle(rows)
    return [_completed(row, name) for row in rows]


def _require_a_set(path: Path) -> None:
    if not any((path / f"{name}.jsonl").exists() for name in _COLUMNS):
        raise TooldrillError(
            f"data.files: {path} holds neither sft.jsonl nor dpo.jsonl",
            f"make it: tooldrill data ingest FILE --out {path}",
        )


def _completed(row: Row, name: str) -> Row:
    return {
        column: row.get(column, [] if column in (*SFT_COLUMNS, *PAIR_COLUMNS) else "")
        for column in _COLUMNS[name]
    }
