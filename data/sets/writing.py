"""Rows to files: JSONL, which is the source of truth, and Parquet with the same content.

Arrow gives a column one struct type, which would invent nulls for every argument that another call
has and force one type on each. The nested columns are therefore lists of JSON values, a type that
HF `datasets` knows (`datasets.Json`) and turns back into dictionaries on loading.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.sets.stats import Stats, StatsCounter, conversation, digest

Row = Mapping[str, Any]

_GROUP = 1000  # rows of a Parquet row group


class SetWriter:
    """A set as it grows: `<path>.jsonl` and `<path>.parquet`, no row twice, counted on the way.

    Without a row there are no files.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counter = StatsCounter()
        self._seen: set[bytes] = set()
        self._open = ExitStack()
        self._jsonl: TextIO | None = None
        self._parquet: ParquetSet | None = None

    def __enter__(self) -> SetWriter:
        return self

    def __exit__(self, *failure: Any) -> None:
        self._open.__exit__(*failure)

    @property
    def rows(self) -> int:
        return self._counter.rows

    def add(self, row: Row) -> bool:
        """Appends the row; False when one with the same conversation is there already."""
        key = digest(conversation(row))
        if key in self._seen:
            return False
        self._seen.add(key)
        if self._jsonl is None or self._parquet is None:
            path = self._path.with_suffix(".jsonl")
            self._jsonl = self._open.enter_context(path.open("w", encoding="utf-8", newline="\n"))
            parquet = ParquetSet(self._path.with_suffix(".parquet"))
            self._parquet = self._open.enter_context(parquet)
        self._jsonl.write(line(row))
        self._parquet.add(row)
        self._counter.add(row)
        return True

    def stats(self) -> Stats:
        """The counts of at least one row."""
        return self._counter.result()


def line(row: Row) -> str:
    """The row as a line of a JSONL file."""
    return json.dumps(row, ensure_ascii=False) + "\n"


class ParquetSet:
    """Parquet that `datasets.load_dataset("parquet", ...)` reads back row for row.

    Columns that hold lists are stored as lists of JSON, the others as strings. Rows are held only
    until a group of them is full; without a row there is no file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[Row] = []
        self._writer: Any = None
        self._columns: list[str] = []
        self._nested: set[str] = set()

    def __enter__(self) -> ParquetSet:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._waiting:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def add(self, row: Row) -> None:
        """Appends a row with the columns of the first.

        Raises:
            TooldrillError: here or at the end of the block, for a number that `datasets` cannot
                read (an integer beyond 64 bits).
        """
        if not self._columns:
            self._columns = list(row)
            self._nested = {name for name in row if isinstance(row[name], list)}
        self._waiting.append(row)
        if len(self._waiting) == _GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow.parquet as pq
        from datasets import Dataset, Features, Json, List, Value

        features = Features(
            {
                name: List(Json()) if name in self._nested else Value("string")
                for name in self._columns
            }
        )
        data = {name: [self._cell(row, name) for row in self._waiting] for name in self._columns}
        table = Dataset.from_dict(data, features=features).data.table
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)
        self._waiting = []

    def _cell(self, row: Row, name: str) -> Any:
        return [_encoded(item) for item in row[name]] if name in self._nested else row[name]


def _encoded(item: Any) -> str:
    """JSON text that `datasets` reads back as `item`.

    It reads JSON with pandas' parser, which is off by one unit in the last place for some decimals
    (0.3 among them): those are spelled in a way that it reads exactly.
    """
    text = json.dumps(item, ensure_ascii=False)
    return text if _as_read(text) == item else _respelled(item)


def _as_read(text: str) -> Any:
    from datasets.utils.json import ujson_loads

    try:
        return ujson_loads(text)
    except ValueError as error:
        raise TooldrillError(
            f"a row cannot be stored in Parquet: {error}: {text[:80]}",
            "leave out rows with integers beyond 64 bits",
        ) from error


def _respelled(item: Any) -> str:
    spelled: list[str] = []

    def marked(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: marked(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [marked(inner) for inner in value]
        if isinstance(value, float):
            spelled.append(_spelling(value))
            return f"\0{len(spelled) - 1}\0"
        return value

    text = json.dumps(marked(item), ensure_ascii=False)
    for index, number in enumerate(spelled):
        text = text.replace(f'"\\u0000{index}\\u0000"', number)
    return text


def _spelling(value: float) -> str:
    """Digits that every reader takes for `value`; the shortest ones where none are found."""
    if not math.isfinite(value):
        return repr(value)
    decimal = Decimal(repr(value))
    shifted = (f"{decimal.scaleb(shift):f}e{-shift}" for shift in range(-5, 20))
    forms = (repr(value), *shifted)
    exact = (form for form in forms if float(form) == value == _as_read(form))
    return next(exact, repr(value))
