"""Rows to files: JSONL, which is the source of truth, and Parquet with the same content.

Arrow gives a column one struct type, which would invent nulls for every argument that another call
has and force one type on each. The nested columns are therefore lists of JSON values, a type that
HF `datasets` knows (`datasets.Json`) and turns back into dictionaries on loading.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tooldrill.agent.errors import TooldrillError

Row = Mapping[str, Any]


def write_jsonl(rows: Sequence[Row], path: Path) -> None:
    """One JSON object a line, characters unescaped."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_parquet(rows: Sequence[Row], path: Path) -> None:
    """Parquet that `datasets.load_dataset("parquet", ...)` reads back row for row.

    Columns that hold lists are stored as lists of JSON, the others as strings.

    Raises:
        TooldrillError: for a number that `datasets` cannot read (an integer beyond 64 bits).
    """
    import pyarrow.parquet as pq
    from datasets import Dataset, Features, Json, List, Value

    columns = list(rows[0])
    nested = {name for name in columns if isinstance(rows[0][name], list)}
    features = Features(
        {name: List(Json()) if name in nested else Value("string") for name in columns}
    )
    data = {
        name: [[_encoded(i) for i in row[name]] if name in nested else row[name] for row in rows]
        for name in columns
    }
    dataset = Dataset.from_dict(data, features=features)
    pq.write_table(dataset.data.table, path)


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
