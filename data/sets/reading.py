"""Rows from files: `.jsonl` or `.parquet`, ours or anyone's who keeps to the columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tooldrill.agent.errors import TooldrillError

SFT_COLUMNS = ("messages", "tools")
PAIR_COLUMNS = ("prompt", "chosen", "rejected", "tools")

_BUILD = "make one: tooldrill data build CONFIG"


def read_rows(path: Path, columns: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Every row of the file; arguments keep their types and no key is added.

    Args:
        path: a `.jsonl` or `.parquet` file.
        columns: what every row must have (`SFT_COLUMNS`, `PAIR_COLUMNS`).

    Raises:
        TooldrillError: when the file is missing, of another kind, broken (with the line's number),
            empty, or lacks a column.
    """
    reader = _READERS.get(path.suffix)
    if reader is None:
        raise TooldrillError(f"{path} is neither .jsonl nor .parquet", _BUILD)
    if not path.is_file():
        raise TooldrillError(f"no data file at {path}", _BUILD)
    rows = reader(path)
    if not rows:
        raise TooldrillError(f"{path} has no rows", _BUILD)
    for number, row in enumerate(rows, 1):
        absent = [name for name in columns if not isinstance(row.get(name), list)]
        if absent:
            raise TooldrillError(
                f"{path}: row {number} has no list {absent[0]!r}",
                f"give every row the columns {', '.join(columns)}",
            )
    return rows


def _read_jsonl(path: Path) -> list[dict[str, Any]]:
    rows = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise TooldrillError(
                    f"{path} line {number} is not JSON: {error}", f"mend that line, or {_BUILD}"
                ) from None
            if not isinstance(row, dict):
                raise TooldrillError(
                    f"{path} line {number} is not a JSON object", f"mend that line, or {_BUILD}"
                )
            rows.append(row)
    return rows


def _read_parquet(path: Path) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise TooldrillError(
            f"{path} is not a Parquet file: {str(error).splitlines()[0]}", _BUILD
        ) from None
    decoders = {field.name: _decoder(field.type) for field in table.schema}
    return [
        {name: decoders[name](value) for name, value in row.items()} for row in table.to_pylist()
    ]


def _decoder(kind: Any) -> Callable[[Any], Any]:
    """How a column's value becomes what was written; JSON columns hold text."""
    import pyarrow as pa

    if isinstance(kind, pa.JsonType):
        return lambda value: None if value is None else json.loads(value)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = _decoder(kind.value_type)
        return lambda values: None if values is None else [inner(value) for value in values]
    return lambda value: value


_READERS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
