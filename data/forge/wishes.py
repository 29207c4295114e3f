"""Which operations a type of a forged world gets, each with what it is about."""

from __future__ import annotations

import random
from typing import Any

from tooldrill.data.forge.blueprint import Type
from tooldrill.data.values.words import word_list

# Action, type, and the field or step that it is about.
Wish = tuple[str, Type, Any]

# What one thing can give to another of its kind.
_MOVABLE = frozenset(
    word_list(
        """
        copies quantity boxes sessions cores replicas points headcount players seats volume
        storage energy budget total cargo
        """
    )
)


def wishes(rng: random.Random, type_: Type) -> list[Wish]:
    """Operations that make sense for the type, each with what it is about."""
    kinds = {f.key: f.kind for f in type_.fields}
    numbers = [f for f in type_.fields if kinds[f.key].numeric and f.key != "age"]
    counts = [f for f in numbers if kinds[f.key].base in ("int", "money", "num")]
    pool: list[tuple[str, Any, float]] = [
        ("find", None, 0.9), ("get", None, 0.7), ("create", None, 0.7), ("list", None, 0.5),
        ("count", None, 0.4), ("update", None, 0.45), ("status", None, 0.35),
        ("delete", None, 0.35), ("tag", None, 0.3), ("untag", None, 0.25), ("note", None, 0.35),
        ("copy", None, 0.15), ("bulk", None, 0.2), ("lines", None, 0.15),
    ]  # fmt: skip
    pool += [("set", f, 0.3) for f in (*type_.fields, type_.entity.label)]
    pool += [("step", step, 0.3) for step in type_.entity.flow.steps]
    pool += [("total", f, 0.25) for f in counts]
    pool += [("adjust", f, 0.2) for f in counts] + [
        ("transfer", f, 0.2) for f in counts if f.key in _MOVABLE
    ]
    if type_.refers_to:
        pool.append(("link", None, 0.6))
    rng.shuffle(pool)
    return [(action, type_, about) for action, about, share in pool if rng.random() < share]


def first_and_some(rng: random.Random, wanted: list[Wish], first: Type, most: int) -> list[Wish]:
    """At most so many, among them a way to look the first type up and a way to change it."""
    base: list[Wish] = [
        (rng.choice(("find", "find", "find", "list")), first, None),
        rng.choice((("create", first, None), ("note", first, None), ("set", first, first.fields[0]),
                    ("step", first, first.entity.flow.steps[0]))),
    ]  # fmt: skip
    rest = [wish for wish in wanted if wish not in base]
    rng.shuffle(rest)
    spare = [(a, first, None) for a in ("get", "update", "status", "delete")]
    rest += [wish for wish in spare if wish not in rest]
    return [*base, *rest[: max(2, most - 2)]]
