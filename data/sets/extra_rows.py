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
from tooldrill.agent.tool import Registry
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
_NEEDED = {"sft": SFT_COLUMNS, "dpo": PAIR_COLUMNS}


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
    if not path.exists():
        raise TooldrillError(
            f"data.files: nothing lies at {path}",
            f"a data set on the hub is imported first: tooldrill data ingest {path} --out DIR; "
            "then give DIR",
        )
    file = path / f"{name}.jsonl" if path.is_dir() else path
    if path.is_dir() and not file.exists():
        _require_a_set(path)
        return []
    rows = read_rows(file)
    kinds = {kind for kind in _COLUMNS if all(c in rows[0] for c in _NEEDED[kind])}
    foreign = next((row for row in rows if _has_arguments_as_text(row)), None)
    if not kinds or foreign is not None:
        raise TooldrillError(
            f"data.files: {file} is no set of ours: "
            + ("arguments are text in it" if kinds else "it lacks the columns messages and tools"),
            f"import it: tooldrill data ingest {file} --out DIR; then give DIR",
        )
    if name not in kinds:
        return []
    made = [_completed(row, name, file, number) for number, row in enumerate(rows, 1)]
    random.Random(f"rows {seed} {path.name}").shuffle(made)
    return made


def _has_arguments_as_text(row: Row) -> bool:
    """Whether the row is in OpenAI's own shape, which a chat template would write out wrongly."""
    messages = [m for column in ("messages", *PAIR_COLUMNS[:3]) for m in row.get(column) or ()]
    calls = [c for m in messages if isinstance(m, dict) for c in m.get("tool_calls") or ()]
    return any(isinstance(c.get("function", {}).get("arguments"), str) for c in calls)


def _require_a_set(path: Path) -> None:
    if not any((path / f"{name}.jsonl").exists() for name in _COLUMNS):
        raise TooldrillError(
            f"data.files: {path} holds neither sft.jsonl nor dpo.jsonl",
            f"make it: tooldrill data ingest FILE --out {path}",
        )


def _completed(row: Row, name: str, file: Path, number: int) -> Row:
    """The row with our columns; one without an id is named after its place.

    Raises:
        TooldrillError: when it holds no conversation with tools that could be rendered.
    """
    lists = _NEEDED[name]
    wrong = _shape_problem(row, lists)
    if wrong:
        raise TooldrillError(
            f"data.files: {file}: row {number}: {wrong}",
            "mend it, or take the records over with: tooldrill data ingest FILE --out DIR",
        )
    texts = {column: str(row.get(column) or "") for column in _COLUMNS[name] if column not in lists}
    texts["trace_id"] = texts["trace_id"] or f"{file.parent.name}.{file.stem}-{number:06d}"
    return {column: row[column] if column in lists else texts[column] for column in _COLUMNS[name]}


def _shape_problem(row: Row, lists: Sequence[str]) -> str:
    """What keeps the row from being rendered; empty when nothing does."""
    for column in lists:
        if not isinstance(row.get(column), list):
            return f"{column} is no list"
    for column in lists[:-1]:
        if not row[column] or not all(isinstance(m, dict) and "role" in m for m in row[column]):
            return f"{column} is no list of messages with a role"
        if column != "prompt" and row[column][-1]["role"] != "assistant":
            return f"{column} does not end with a reply of the assistant"
    try:
        Registry.from_openai(row["tools"])
    except (TooldrillError, AttributeError, TypeError) as error:
        return f"tools cannot be read: {error}"
    return ""
