"""Records: what a forged world keeps of each thing."""

from __future__ import annotations

from typing import Any

from tooldrill.data.forge.blueprint import Type

Record = dict[str, Any]
NOTICES = "notices"


def blank(type_: Type, identity: Any, label: str) -> Record:
    """A record in which nothing is set yet."""
    record: Record = {"id": identity, "label": label}
    record |= {field.key: None for field in type_.fields}
    return record | {
        "status": type_.entity.flow.states[0],
        "ref": None,
        "tags": [],
        "notes": [],
        "lines": [],
    }


def own(record: Record) -> Record:
    """A copy whose lists can grow; what stands in fields is replaced and never changed."""
    lists = {key: [*record[key]] for key in ("tags", "notes", "lines")}
    return record | lists
