"""Options that operations may carry beside what they need: limits, notices, reasons, switches.

They are what tempts a model to borrow: one tool has `notify`, its sibling does not. All are
carried out for real (see `session`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tooldrill.data.forge.blueprint import ABSENT
from tooldrill.data.forge.kinds import Kind


@dataclass(frozen=True)
class Option:
    """An optional parameter by role, with the names it goes by."""

    role: str
    names: tuple[str, ...]
    kind: Kind
    default: Any
    text: str


_FLAG = Kind("flag")
_LIMITS = Kind("int", ("1", "100"))

_OPTIONS: dict[str, Option] = {
    option.role: option
    for option in (
        Option("x:notify", ("notify", "send notice", "inform people", "alert", "ping"), _FLAG,
               False, "Tell everyone concerned"),
        Option("x:reason", ("reason", "why", "because", "justification", "cause"), Kind("text"),
               ABSENT, "Why this is done"),
        Option("x:force", ("force", "even if used", "cascade", "ignore links"), _FLAG, False,
               "Do it although something else still refers to it"),
        Option("x:dry_run", ("dry run", "simulate", "preview", "test only", "check only"), _FLAG,
               False, "Only report what would happen"),
        Option("x:detailed", ("detailed", "verbose", "full", "with details", "all fields"), _FLAG,
               False, "Show every field"),
        Option("x:pinned", ("pinned", "on top", "sticky", "highlight"), _FLAG, False,
               "Keep it above the other notes"),
        Option("x:limit", ("limit", "max results", "top", "page size", "at most"), _LIMITS, 20,
               "Most results to return"),
        Option("x:skip", ("offset", "skip", "start at", "cursor"), Kind("int", ("0", "1000")), 0,
               "How many to leave out at the beginning"),
        Option("x:exact", ("exact", "whole words", "strict match", "full match"), _FLAG, False,
               "Match the whole text only"),
        Option("x:case", ("case sensitive", "match case", "keep case"), _FLAG, False,
               "Tell capital from small letters"),
        Option("x:reverse", ("descending", "reverse", "newest first", "backwards"), _FLAG, False,
               "Turn the order round"),
        Option("x:twice", ("allow duplicate", "allow same name", "not unique"), _FLAG, False,
               "Accept one that is called the same"),
        Option("x:note", ("note", "comment", "remark", "annotation"), Kind("text"), ABSENT,
               "A note to keep with it"),
        Option("x:tag", ("tag", "keyword", "marker", "group"), Kind("word"), ABSENT,
               "A tag to put on it"),
        Option("eq:tag", ("tag", "keyword", "tagged", "with tag"), Kind("word"), ABSENT,
               "Only those with this tag"),
        Option("x:notes", ("with notes", "include notes", "notes", "show notes"), _FLAG, False,
               "Show the notes too"),
        Option("x:round", ("digits", "decimals", "round to"), Kind("int", ("0", "6")), 2,
               "Digits after the point"),
        Option("x:echo", ("return record", "echo", "show result", "reply with record"), _FLAG,
               False, "Answer with all that is stored"),
    )
}  # fmt: skip

_BY_ACTION: dict[str, tuple[str, ...]] = {
    "create": ("x:notify", "x:dry_run", "x:twice", "x:note", "x:tag", "x:echo"),
    "get": ("x:detailed", "x:notes"),
    "find": ("x:limit", "x:skip", "x:exact", "x:case", "x:reverse", "x:detailed", "eq:tag"),
    "list": ("x:limit", "x:skip", "x:reverse", "x:detailed", "eq:tag"),
    "count": ("eq:tag", "x:detailed"),
    "total": ("x:round", "eq:tag", "x:detailed"),
    "update": ("x:notify", "x:reason", "x:dry_run", "x:echo", "x:note"),
    "set": ("x:notify", "x:reason", "x:dry_run", "x:echo", "x:note"),
    "status": ("x:notify", "x:reason", "x:echo", "x:note", "x:dry_run"),
    "step": ("x:notify", "x:reason", "x:echo", "x:note", "x:dry_run"),
    "delete": ("x:force", "x:reason", "x:notify", "x:dry_run"),
    "tag": ("x:notify", "x:echo", "x:dry_run", "x:note"),
    "untag": ("x:notify", "x:echo", "x:dry_run", "x:note"),
    "link": ("x:notify", "x:reason", "x:echo", "x:note"),
    "adjust": ("x:reason", "x:echo", "x:note", "x:dry_run"),
    "transfer": ("x:reason", "x:note", "x:notify", "x:dry_run"),
    "note": ("x:pinned", "x:notify", "x:tag"),
    "copy": ("x:twice", "x:note", "x:tag", "x:notify"),
    "bulk": ("x:notify", "x:reason", "x:dry_run", "x:note"),
    "lines": ("x:notify", "x:dry_run", "x:note", "x:echo"),
}


def options_of(action: str) -> list[Option]:
    """The options that an operation may carry."""
    return [_OPTIONS[role] for role in _BY_ACTION[action]]


def all_options() -> tuple[Option, ...]:
    """Every option that there is."""
    return tuple(_OPTIONS.values())
