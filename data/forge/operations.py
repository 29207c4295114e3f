"""What each operation of a forged world does to the store, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tooldrill.agent.environment import ToolError
from tooldrill.data.forge.blueprint import Op
from tooldrill.data.forge.ids import next_id
from tooldrill.data.forge.records import NOTICES, Record, blank, own
from tooldrill.data.forge.selecting import label_matches, selected
from tooldrill.data.forge.showing import list_text, record_text

if TYPE_CHECKING:
    from tooldrill.data.forge.session import ForgeSession

Given = dict[str, Any]


def _create(session: ForgeSession, op: Op, given: Given) -> str:
    type_ = op.type
    if not given.get("x:twice"):
        session.need_free_label(type_, given["label"])
    record = blank(type_, next_id(type_, session.records(type_)), given["label"])
    record |= {role[2:]: value for role, value in given.items() if role.startswith("f:")}
    session.records(type_).append(record)
    return session.finish(op, given, record, "created")


def _get(session: ForgeSession, op: Op, given: Given) -> str:
    record = session.record(op.type, given["id"])
    text = record_text(session.style, op.type, record)
    if given.get("x:notes") or given.get("x:detailed"):
        text += "\nnotes: " + ("; ".join(record["notes"]) or "none")
    return text


def _find(session: ForgeSession, op: Op, given: Given) -> str:
    found = [r for r in session.records(op.type) if label_matches(given, r["label"])]
    return _page(session, op, given, selected(op, given, found))


def _list(session: ForgeSession, op: Op, given: Given) -> str:
    return _page(session, op, given, selected(op, given, session.records(op.type)))


def _page(session: ForgeSession, op: Op, given: Given, found: list[Record]) -> str:
    found = found[::-1] if given.get("x:reverse") else found
    start = given.get("x:skip", 0)
    shown = found[start : start + given.get("x:limit", 20)]
    return list_text(session.style, op.type, shown, detailed=bool(given.get("x:detailed")))


def _count(session: ForgeSession, op: Op, given: Given) -> str:
    found = selected(op, given, session.records(op.type))
    if given.get("x:detailed"):
        return f"{len(found)}: {', '.join(str(r['id']) for r in found) or 'none'}"
    return f"{len(found)}" if session.style.output != "sentence" else f"{len(found)} found"


def _total(session: ForgeSession, op: Op, given: Given) -> str:
    assert op.field is not None
    found = selected(op, given, session.records(op.type))
    total = round(sum(r[op.field.key] or 0 for r in found), given.get("x:round", 2))
    said = f"{total:g}" if abs(total) < 100_000 else str(total)
    return f"{said} ({len(found)} {op.type.entity.plural})" if given.get("x:detailed") else said


def _update(session: ForgeSession, op: Op, given: Given) -> str:
    record = session.record(op.type, given["id"])
    changes = {role[2:]: value for role, value in given.items() if role.startswith("f:")}
    if not changes:
        raise ToolError("nothing to change: no field was given")
    record |= changes
    return session.finish(op, given, record, "updated")


def _set(session: ForgeSession, op: Op, given: Given) -> str:
    assert op.field is not None
    record, key = session.record(op.type, given["id"]), op.field.key
    value = given["label" if key == "label" else f"f:{key}"]
    if key == "label" and value != record["label"]:
        session.need_free_label(op.type, value)
    record[key] = value
    return session.finish(op, given, record, f"{op.type.names[key]} changed")


def _status(session: ForgeSession, op: Op, given: Given) -> str:
    record = session.record(op.type, given["id"])
    before = session.go_to(op.type, record, given["status"])
    return session.finish(op, given, record, f"{before} -> {given['status']}")


def _step(session: ForgeSession, op: Op, given: Given) -> str:
    assert op.step is not None
    record = session.record(op.type, given["id"])
    if record["status"] != op.step.before:
        raise ToolError(
            f"{op.type.noun} {record['id']} is {record['status']}, it must be {op.step.before}"
        )
    session.go_to(op.type, record, op.step.after)
    return session.finish(op, given, record, f"is {op.step.after}")


def _delete(session: ForgeSession, op: Op, given: Given) -> str:
    type_, record = op.type, session.record(op.type, given["id"])
    for other in session.types_that_refer_to(type_):
        for user in session.records(other):
            if user["ref"] == record["id"]:
                if not given.get("x:force"):
                    raise ToolError(f"still in use: {other.noun} {user['id']} refers to it")
                user["ref"] = None
    session.records(type_).remove(record)
    if given.get("x:notify"):
        session.state[NOTICES].append(f"{type_.noun} {record['id']}: delete")
    return f"{type_.noun} {record['id']} deleted"


def _tag(session: ForgeSession, op: Op, given: Given) -> str:
    record, tag = session.record(op.type, given["id"]), given["tag"]
    if tag in record["tags"]:
        raise ToolError(f"{op.type.noun} {record['id']} already has the tag {tag}")
    record["tags"].append(tag)
    return session.finish(op, given, record, f"tagged {tag}")


def _untag(session: ForgeSession, op: Op, given: Given) -> str:
    record, tag = session.record(op.type, given["id"]), given["tag"]
    if tag not in record["tags"]:
        has = ", ".join(record["tags"]) or "none"
        raise ToolError(f"{op.type.noun} {record['id']} has no tag {tag} (tags: {has})")
    record["tags"].remove(tag)
    return session.finish(op, given, record, f"no longer tagged {tag}")


def _link(session: ForgeSession, op: Op, given: Given) -> str:
    record = session.record(op.type, given["id"])
    other = session.record(session.target_of(op.type), given["ref"])
    record["ref"] = other["id"]
    return session.finish(op, given, record, f"linked to {op.type.names['ref']} {other['id']}")


def _adjust(session: ForgeSession, op: Op, given: Given) -> str:
    assert op.field is not None
    record, key = session.record(op.type, given["id"]), op.field.key
    low, high = op.field.kind.bounds
    value = round((record[key] or 0) + given["amount"], 2)
    if not low <= value <= high:
        raise ToolError(f"out of range: {value} is not between {low} and {high}")
    record[key] = value
    return session.finish(op, given, record, f"{op.type.names[key]} is {value}")


def _transfer(session: ForgeSession, op: Op, given: Given) -> str:
    assert op.field is not None
    giver, taker = (session.record(op.type, given[role]) for role in ("id", "id2"))
    key, amount = op.field.key, given["amount"]
    if giver is taker:
        raise ToolError("giver and taker are the same")
    if (giver[key] or 0) < amount:
        raise ToolError(f"{op.type.noun} {giver['id']} has only {giver[key] or 0}")
    giver[key] = round(giver[key] - amount, 2)
    taker[key] = round((taker[key] or 0) + amount, 2)
    return session.finish(op, given, giver, f"gave {amount} to {taker['id']}")


def _note(session: ForgeSession, op: Op, given: Given) -> str:
    record = session.record(op.type, given["id"])
    at = 0 if given.get("x:pinned") else len(record["notes"])
    record["notes"].insert(at, given["text"])
    return session.finish(op, given, record, "noted")


def _copy(session: ForgeSession, op: Op, given: Given) -> str:
    type_, source = op.type, session.record(op.type, given["id"])
    if not given.get("x:twice"):
        session.need_free_label(type_, given["label"])
    made = own(source)
    made |= {"id": next_id(type_, session.records(type_)), "label": given["label"]}
    session.records(type_).append(made)
    return session.finish(op, given, made, f"copied from {source['id']}")


def _bulk(session: ForgeSession, op: Op, given: Given) -> str:
    if not given["ids"]:
        raise ToolError("the list is empty")
    if len(set(given["ids"])) < len(given["ids"]):
        raise ToolError("an id is given twice")
    records = [session.record(op.type, identity) for identity in given["ids"]]
    # All or nothing: a refusal in the middle must not leave half of it done.
    for record in records:
        session.go_to(op.type, dict(record), given["status"])
    for record in records:
        session.go_to(op.type, record, given["status"])
        session.leave(op, given, record)
    return f"{len(records)} {op.type.entity.plural} are {given['status']}"


def _lines(session: ForgeSession, op: Op, given: Given) -> str:
    if not given["lines"]:
        raise ToolError("the list is empty")
    record = session.record(op.type, given["id"])
    record["lines"] += given["lines"]
    return session.finish(op, given, record, f"has {len(record['lines'])} items")


RUN: dict[str, Callable[[ForgeSession, Op, Given], str]] = {
    "create": _create, "get": _get, "find": _find, "list": _list, "count": _count,
    "total": _total, "update": _update, "set": _set, "status": _status, "step": _step,
    "delete": _delete, "tag": _tag, "untag": _untag, "link": _link, "adjust": _adjust,
    "transfer": _transfer, "note": _note, "copy": _copy, "bulk": _bulk, "lines": _lines,
}  # fmt: skip
