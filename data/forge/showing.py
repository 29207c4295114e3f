"""How a forged world's tools answer: records, lists and confirmations in the world's own style."""

from __future__ import annotations

import json
from hashlib import sha1

from tooldrill.data.forge.blueprint import Style, Type
from tooldrill.data.forge.kinds import shown
from tooldrill.data.forge.naming import camel
from tooldrill.data.forge.records import Record


def record_text(style: Style, type_: Type, record: Record, *, brief: bool = False) -> str:
    """One record; a brief one shows id, label, status and one field more."""
    items = _items(style, type_, record, brief=brief)
    if style.output == "json":
        return _json(style, items)
    if style.output == "lines" and not brief:
        return "\n".join(f"{key}: {shown(value)}" for key, value in items.items())
    if style.output == "table":
        return " | ".join(
            shown(value) if brief else f"{key}={shown(value)}" for key, value in items.items()
        )
    identity, label, *rest = items.items()
    told = ", ".join(f"{key} {shown(value)}" for key, value in rest)
    return f"{identity[1]} {shown(label[1])}" + (f" ({told})" if brief else f": {told}")


def list_text(style: Style, type_: Type, records: list[Record], *, detailed: bool) -> str:
    """Several records, brief unless `detailed`."""
    if not records:
        return "[]" if style.output == "json" else f"no {type_.entity.plural} found"
    brief = not detailed
    rows = [record_text(style, type_, record, brief=brief) for record in records]
    match style.output:
        case "json":
            return f"[{', '.join(rows)}]"
        case "table":
            head = " | ".join(_items(style, type_, records[0], brief=brief)) + "\n" if brief else ""
            return head + "\n".join(rows)
        case "lines":
            return "\n".join(f"- {row}" for row in rows) if brief else "\n\n".join(rows)
    return "; ".join(rows)


def done_text(style: Style, type_: Type, record: Record, what: str, *, echo: bool) -> str:
    """The answer to a change: what was done, and the record where the world or the call says so."""
    if style.output == "json":
        if style.echo or echo:
            return _json(style, {"ok": True, **_items(style, type_, record)})
        return _json(style, {"ok": True, "id": record["id"], "result": what})
    said = f"{type_.noun} {record['id']} {what}"
    if style.echo or echo:
        return f"{said}\n{record_text(style, type_, record)}"
    return said


def _json(style: Style, items: Record) -> str:
    """An object with keys as programs write them: in the spelling of the parameters."""
    spelling = camel if style.parameters in ("camel", "Pascal") else "_".join
    return json.dumps({spelling(k.split()): v for k, v in items.items()}, ensure_ascii=False)


def _items(style: Style, type_: Type, record: Record, *, brief: bool = False) -> Record:
    names = type_.names
    items: Record = {"id": record["id"], names["label"]: record["label"]}
    fields = type_.fields[:1] if brief else type_.fields
    for field in fields:
        items[_free(names[field.key], items)] = record[field.key]
    items[_free(names["status"], items)] = record["status"]
    if brief:
        return items
    if type_.refers_to:
        items[f"{names['ref']} id"] = record["ref"]
    items["tags"] = record["tags"]
    if record["lines"]:
        items["items"] = record["lines"]
    if style.padded:
        items |= _padding(type_, record)
    return items


def _free(name: str, items: Record) -> str:
    return name if name not in items else f"{name} value"


def _padding(type_: Type, record: Record) -> Record:
    """Details such as systems add to everything, the same each time."""
    mark = sha1(f"{type_.key}:{record['id']}".encode(), usedforsecurity=False).hexdigest()
    return {
        "etag": mark[:12],
        "revision": int(mark[12:14], 16) + 1,
        "created": f"2024-{int(mark[14:16], 16) % 12 + 1:02}-{int(mark[16:18], 16) % 28 + 1:02}",
        "href": f"/v1/{type_.entity.plural.replace(' ', '-')}/{mark[18:26]}",
        "locked": False,
    }
