"""The state a forged task begins in, and how its prompt speaks of the records in it."""

from __future__ import annotations

# ruff: noqa: E501 - wordings stand on one line
from dataclasses import dataclass, field
from typing import Any

from tooldrill.data.forge import pools
from tooldrill.data.forge.blueprint import Blueprint, Op, Type
from tooldrill.data.forge.ids import draw_ids
from tooldrill.data.forge.records import NOTICES, Record, blank
from tooldrill.data.tasks.task import Split
from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import OracleCall


@dataclass
class Scene:
    """One task being drawn.

    Attributes:
        state: the world's state before the episode; asks may still prepare it.
        spoken: records that the prompt speaks of already, by type and position.
    """

    draw: Draw
    plan: Blueprint
    split: Split
    state: dict[str, Any]
    spoken: set[tuple[str, int]] = field(default_factory=set)

    def records(self, type_: Type) -> list[Record]:
        records: list[Record] = self.state[type_.key]
        return records

    def fresh(self, type_: Type) -> Record | None:
        """A record that the prompt does not speak of yet."""
        records = self.records(type_)
        free = [i for i in range(len(records)) if (type_.key, i) not in self.spoken]
        if not free:
            return None
        chosen = self.draw.pick(free)
        self.spoken.add((type_.key, chosen))
        return records[chosen]


@dataclass(frozen=True)
class Target:
    """A record as the prompt speaks of it.

    Attributes:
        words: what stands in the prompt.
        before: calls that find out its id, if the prompt does not say it.
    """

    record: Record
    words: str
    before: tuple[OracleCall, ...] = ()


def new_scene(draw: Draw, plan: Blueprint, split: Split, most: int = 6) -> Scene:
    """A random state: a handful of records of each type."""
    state: dict[str, Any] = {}
    for type_ in plan.types:
        state[type_.key] = _records(draw, type_, draw.number(3, most))
    for type_ in plan.types:
        if type_.refers_to:
            others = state[type_.refers_to]
            for record in state[type_.key]:
                record["ref"] = draw.pick(others)["id"]
    state[NOTICES] = []
    return Scene(draw, plan, split, state)


def new_label(draw: Draw, type_: Type, records: list[Record]) -> str:
    """A label that no record has, and none is part of."""
    while True:
        label: str = type_.entity.label.kind.draw(draw)
        low = label.casefold()
        if all(low not in r["label"].casefold() and r["label"].casefold() not in low
               for r in records):  # fmt: skip
            return label


def by_id(scene: Scene, type_: Type, record: Record) -> Target:
    """Spoken of by its id."""
    forms = ["{noun} {id}", "{noun} {id}", "the {noun} {id}"]
    forms.append("{noun} no. {id}" if type_.id_form == "int" else "the {noun} with the id {id}")
    if len(scene.plan.types) == 1:
        # Where there are several types, a bare id would not say of which.
        forms.append("{id}")
    words = scene.draw.pick(forms).format(noun=type_.noun, id=record["id"])
    return Target(record, words)


def by_label(scene: Scene, type_: Type, record: Record) -> Target | None:
    """Spoken of by its label; None where no tool can find out its id."""
    call = look_up(scene, type_, record["label"])
    if call is None:
        return None
    return Target(record, label_words(scene.draw, type_, record["label"]), (call,))


def look_up(scene: Scene, type_: Type, label: str) -> OracleCall | None:
    """The call that shows which id a label has."""
    find = scene.plan.find("find", type_)
    if find is not None:
        return find.name, find.arguments({"query": label})
    every = scene.plan.find("list", type_)
    return None if every is None else (every.name, {})


def label_words(draw: Draw, type_: Type, label: str) -> str:
    """How people speak of a record whose label they know."""
    base, called = type_.entity.label.kind.base, type_.entity.label.names[0]
    forms: tuple[str, ...] = ("the {noun} '{label}'", "the {noun} \"{label}\"", "our {noun} '{label}'",
                              "the {noun} called {label}")  # fmt: skip
    if base in ("code", "host", "plate", "path"):
        forms = ("{noun} {label}", "the {noun} {label}", "our {noun} {label}")
    elif base in ("person", "company") and called == "name":
        forms = ("{label}", "{noun} {label}", "our {noun} {label}", "the {noun} {label}")
    elif base in ("person", "company", "city"):
        forms = ("the {noun} of {label}", "{label}'s {noun}", "the {noun} for {label}",
                 "the {noun} in the name of {label}")  # fmt: skip
        forms = forms[:3] if base != "city" else ("the {noun} in {label}", "the {label} {noun}")
    return draw.pick(forms).format(noun=type_.noun, label=label)


def spoken_of(scene: Scene, op: Op, *, share_by_label: float = 0.5) -> Target | None:
    """A record of the operation's type, by id or by label; None when all are spoken of."""
    record = scene.fresh(op.type)
    if record is None:
        return None
    if scene.draw.chance(share_by_label):
        target = by_label(scene, op.type, record)
        if target is not None:
            return target
    return by_id(scene, op.type, record)


def _records(draw: Draw, type_: Type, count: int) -> list[Record]:
    records: list[Record] = []
    flow = type_.entity.flow
    for identity in draw_ids(draw, type_, count):
        record = blank(type_, identity, new_label(draw, type_, records))
        record |= {f.key: f.kind.draw(draw) for f in type_.fields}
        record["status"] = draw.pick(flow.states)
        if draw.chance(0.3):
            record["tags"] = [pools.word(draw)]
        if draw.chance(0.15):
            record["notes"] = [draw.line()]
        records.append(record)
    return records
