"""Ids of records: numbers, or texts such as `BK-2041` and long hexadecimal ones."""

from __future__ import annotations

from hashlib import sha1
from typing import Any

from tooldrill.data.forge.blueprint import Type
from tooldrill.data.values.names import Draw


def draw_ids(draw: Draw, type_: Type, count: int) -> list[Any]:
    """Different ids, in random order."""
    numbers = draw.numbers(2, 99_999 if draw.chance(0.3) else 999, count)
    return [made_id(type_, number) for number in numbers]


def made_id(type_: Type, number: int) -> Any:
    """The id of that number; equal numbers give equal ids."""
    match type_.id_form:
        case "int":
            return number
        case "dash":
            return f"{type_.id_prefix}-{number:04}"
        case "under":
            return f"{type_.key[:4]}_{number}"
    mark = sha1(f"{type_.key}{number}".encode(), usedforsecurity=False).hexdigest()
    if type_.id_form == "hex":
        return f"{type_.key[0]}{mark[:7]}"
    return f"{mark[:8]}-{mark[8:12]}-{mark[12:16]}"


def next_id(type_: Type, records: list[dict[str, Any]]) -> Any:
    """The id that a new record gets: it depends on the records there are and on nothing else."""
    taken = {record["id"] for record in records}
    numbers = [record["id"] for record in records if isinstance(record["id"], int)]
    number = max(numbers, default=100) + 1 if numbers else len(records) + 1001
    while made_id(type_, number) in taken:
        number += 1
    return made_id(type_, number)
