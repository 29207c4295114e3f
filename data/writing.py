"""Rows to files: JSONL, which is the source of truth, and Parquet with the same content.

Arrow gives a column one struct type, which would invent nulls for every argument that another call
has and force one type on each. The nested columns are therefore lists of JSON values, a type that
HF `datasets` knows (`datasets.Json`) and turns back into dictionaries on loading.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


def write_jsonl(rows: Sequence[Row], path: Path) -> None:
    """One JSON object a line, characters unescaped."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_parquet(rows: Sequence[Row], path: Path) -> None:
    """Parquet that `datasets.load_dataset("parquet", ...)` reads back row for row.

    Columns that hold lists are stored as lists of JSON, the others as strings. The JSON text is
    made here, because the one that `datasets` makes rounds floats.
    """
    import pyarrow.parquet as pq
    from datasets import Dataset, Features, Json, List, Value

    columns = list(rows[0])
    nested = {name for name in columns if isinstance(rows[0][name], list)}
    features = Features(
        {name: List(Json()) if name in nested else Value("string") for name in columns}
    )
    data = {
        name: [_encoded(row[name]) if name in nested else row[name] for row in rows]
        for name in columns
    }
    dataset = Dataset.from_dict(data, features=features)
    pq.write_table(dataset.data.table, path)


def _encoded(items: Sequence[Any]) -> list[str]:
    return [json.dumps(item, ensure_ascii=False) for item in items]
