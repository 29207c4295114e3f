"""Which records a query means: by label, by conditions on fields, status and tags."""

from __future__ import annotations

from typing import Any

from tooldrill.data.forge.blueprint import Op
from tooldrill.data.forge.records import Record


def selected(op: Op, given: dict[str, Any], records: list[Record]) -> list[Record]:
    """The records that meet every condition among the arguments, in their order."""
    conditions = {
        role: given[role]
        for role in op.by_role
        if role in given and role.startswith(("eq:", "min:", "max:"))
    }
    return [r for r in records if all(_meets(r, role, v) for role, v in conditions.items())]


def label_matches(given: dict[str, Any], label: str) -> bool:
    """Whether a label fits a search: part of it in any case, unless options say otherwise."""
    query = given["query"]
    if not given.get("x:case"):
        query, label = query.casefold(), label.casefold()
    return bool(query == label if given.get("x:exact") else query in label)


def _meets(record: Record, role: str, wanted: Any) -> bool:
    relation, key = role.split(":")
    if key == "tag":
        return wanted in record["tags"]
    value = record[key]
    if relation == "eq":
        return bool(value == wanted)
    if value is None:
        return False
    return bool(value >= wanted if relation == "min" else value <= wanted)
