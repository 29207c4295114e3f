"""Questions: what is answered from an observation, and changes nothing.

Every answer is computed from the records; what it must contain never stands in the prompt.
"""

from __future__ import annotations

# ruff: noqa: E501 - wordings stand on one line
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tooldrill.data.forge import pools
from tooldrill.data.forge.blueprint import Blueprint, Op, Param, Type
from tooldrill.data.forge.kinds import Kind, shown
from tooldrill.data.forge.lexicon import Field
from tooldrill.data.forge.records import Record
from tooldrill.data.forge.scene import Scene, Target, by_id, by_label
from tooldrill.data.forge.selecting import selected
from tooldrill.data.forge.speech import article, is_or_are, plural
from tooldrill.data.forge.voices import reserved
from tooldrill.data.values.words import word_list
from tooldrill.data.worlds.book import OracleCall

# Kinds of which one value is a good answer.
_ANSWERS = frozenset(
    word_list(
        """
    int num money minutes percent date time enum person company city place plate code ip
    path email phone
        """
    )
)


@dataclass(frozen=True)
class Question:
    """A question, the calls that find the answer out, and the answer."""

    words: str
    calls: tuple[OracleCall, ...]
    answer: str
    contains: tuple[str, ...]

    @property
    def gives_itself_away(self) -> bool:
        """Whether the words already hold the answer."""
        return all(
            re.search(rf"(?<!\w){re.escape(item)}(?!\w)", self.words, re.IGNORECASE)
            for item in self.contains
        )


def value_question(scene: Scene, type_: Type) -> Question | None:
    """What a field of one record holds: `get` it, after looking its id up where need be."""
    draw, get = scene.draw, scene.plan.find("get", type_)
    record = scene.fresh(type_)
    able = [f for f in type_.fields if f.kind.base in _ANSWERS]
    if get is None or record is None or not able:
        return None
    target = by_label(scene, type_, record) if draw.chance(0.6) else None
    target = target or by_id(scene, type_, record)
    field = draw.pick(able)
    value = shown(record[field.key])
    name = field.names[0]
    forms: Sequence[str] = reserved(scene.split, _VALUE)
    if field.kind.unit and name == plural(field.kind.unit):
        more = reserved(scene.split, _HOW_MANY)
        forms = (*forms, *more, *more)
    verb = is_or_are(name)
    words = draw.pick(forms).format(name=name, it=target.words, verb=verb)
    answer = f"The {name} of {type_.noun} {record['id']} {verb} {value}."
    return Question(words, (*target.before, _get_call(get, target)), answer, (value,))


_VALUE = (
    "What {verb} the {name} of {it}?", "Tell me the {name} of {it}.", "{it}: what {verb} the {name}?",
    "Which {name} {verb} stored for {it}?", "I need to know the {name} of {it}.",
    "Do you know the {name} of {it}?", "Look up the {name} of {it} for me.",
    "Somebody asks about {it}. What {verb} the {name}?",
)  # fmt: skip
_HOW_MANY = ("How many {name} does {it} have?", "How many {name} are there in the entry of {it}?",
             "Tell me how many {name} {it} has.", "{it} has how many {name}?")  # fmt: skip


def _get_call(get: Op, target: Target) -> OracleCall:
    return get.name, get.arguments({"id": target.record["id"]})


def count_question(scene: Scene, op: Op) -> Question | None:
    """How many records meet a condition; also by listing them and counting."""
    condition = _condition(scene, op)
    if condition is None:
        return None
    words, values = condition
    found = selected(op, values, scene.records(op.type))
    if not found:
        return None
    form = scene.draw.pick(reserved(scene.split, _COUNT))
    text = form.format(plural=op.type.entity.plural, which=words)
    number = str(len(found))
    answer = f"It is {number}." if len(found) != 1 else "It is 1."
    return Question(text, ((op.name, op.arguments(values)),), answer, (number,))


_COUNT = (
    "How many {plural} {which} are there?", "Count the {plural} {which}.",
    "How many {plural} do we have {which}?", "What is the number of {plural} {which}?",
    "Give me the count of {plural} {which}.", "I wonder how many {plural} {which} we have.",
    "{plural} {which}: how many?", "Tell me how many of the {plural} are {which}.",
)  # fmt: skip


def total_question(scene: Scene, op: Op) -> Question | None:
    """The sum of a field, with a condition."""
    condition = _condition(scene, op)
    if condition is None or op.field is None:
        return None
    words, values = condition
    found = selected(op, values, scene.records(op.type))
    if len(found) < 2:
        return None
    total = round(sum(r[op.field.key] or 0 for r in found), 2)
    number = f"{total:g}" if abs(total) < 100_000 else str(total)
    form = scene.draw.pick(reserved(scene.split, _TOTAL))
    name = op.field.names[0]
    verb = is_or_are(name)
    text = form.format(plural=op.type.entity.plural, which=words, name=name, verb=verb)
    return Question(text, ((op.name, op.arguments(values)),), f"It is {number} in all.", (number,))


_TOTAL = (
    "What {verb} the {name} of all {plural} {which} together?", "Add up the {name} of the {plural} {which}.",
    "Sum of {name} over the {plural} {which}?", "What do the {plural} {which} come to in {name}?",
    "I need the total {name} of the {plural} {which}.",
    "Put together, what {verb} the {name} of the {plural} {which}?",
    "Total {name}, {plural} {which}, please.",
    "Sum up the {name} for me, only the {plural} {which}.",
)  # fmt: skip


def _condition(scene: Scene, op: Op) -> tuple[str, dict[str, Any]] | None:
    """A condition in words that at least one record meets, and the arguments for it."""
    draw = scene.draw
    able = [p for p in op.params if p.role.startswith(("eq:", "min:", "max:")) and not p.required]
    records = scene.records(op.type)
    if not able:
        return None
    parameter = draw.pick(able)
    relation, key = parameter.role.split(":")
    record = draw.pick(records)
    if key == "tag":
        if not record["tags"]:
            record["tags"] = [pools.word(draw)]
        value = draw.pick(record["tags"])
        return draw.pick(("tagged {}", "that carry the tag {}")).format(value), {"eq:tag": value}
    value = record[key]
    if key == "status":
        state = value.replace("_", " ")
        forms = ("that are {}", "which are {}", "currently {}", "in the state {}")
        return draw.pick(forms).format(state), {parameter.role: value}
    field = op.type.field(key)
    if field.kind.base == "flag":
        words = draw.pick(field.clauses if value else field.no_clauses)
    elif relation == "eq":
        words = draw.pick(field.clauses).format(v=field.kind.say(draw, value))
    else:
        words = _bounded(draw, op.type, field, relation, value)
    return _ONE.sub(lambda m: f"that {_MANY[m[1]]}", words), {parameter.role: value}


# Clauses are written for one thing; a condition is about several.
_MANY = {"is": "are", "has": "have", "comes": "come", "needs": "need", "breaks": "break",
         "runs": "run", "weighs": "weigh", "somebody": "somebody"}  # fmt: skip
_ONE = re.compile(rf"^that ({'|'.join(_MANY)})\b")


def _bounded(draw: Any, type_: Type, field: Field, relation: str, value: Any) -> str:
    said, name = field.kind.say(draw, value), field.names[0]
    low = relation == "min"
    if field.kind.base == "date":
        forms = ("whose {n} is {v} or later", "with {n} from {v} on", "from {v} onwards")
        if not low:
            forms = ("whose {n} is {v} or earlier", "with {n} up to {v}", "not later than {v}")
    elif field.kind.unit and name == plural(field.kind.unit):
        # `with at least 28 floors` says which number is meant.
        forms = ("with at least {v}", "with {v} or more", "that have {v} or more")
        if not low:
            forms = ("with {v} at most", "with no more than {v}", "that have {v} or less")
    else:
        forms = ("with {a} of at least {v}", "whose {n} {is} {v} or more", "at {v} or above")
        if not low:
            forms = ("with {a} of {v} at most", "whose {n} {is} {v} or less", "not above {v}")
    kind = field.kind
    alone = [f.kind.base for f in type_.fields].count(kind.base) == 1 and (
        kind.unit or kind.base in ("date", "minutes", "percent")
    )
    form = draw.pick(forms if alone else forms[:2])
    return str(form.format(v=said, n=name, a=article(name), **{"is": is_or_are(name)}))


@dataclass(frozen=True)
class Extreme:
    """The record that stands out in a list.

    Attributes:
        words: `the cheapest booking`.
        call: the list in which it can be seen.
    """

    words: str
    record: Record
    call: OracleCall


def extreme(scene: Scene, op: Op) -> Extreme | None:
    """The record with the highest or lowest value of the field that brief lists show."""
    type_, draw = op.type, scene.draw
    field = type_.fields[0]
    if not (field.kind.numeric or field.kind.base == "date"):
        return None
    records = scene.records(type_)
    high = draw.chance(0.5)
    chosen = (max if high else min)(records, key=lambda r: r[field.key])
    if [r[field.key] for r in records].count(chosen[field.key]) > 1:
        return None
    words = draw.pick(_superlatives(field.kind, high)).format(
        noun=type_.noun, name=field.names[0], unit=field.names[0]
    )
    return Extreme(words, chosen, (op.name, {}))


def _superlatives(kind: Kind, high: bool) -> Sequence[str]:
    match kind.base:
        case "date":
            return ("the {noun} with the latest {name}",) if high else (
                "the {noun} with the earliest {name}",)  # fmt: skip
        case "int" if kind.unit:
            return ("the {noun} with the most {unit}",) if high else (
                "the {noun} with the fewest {unit}",)  # fmt: skip
    return ("the {noun} with the highest {name}",) if high else (
        "the {noun} with the lowest {name}",)  # fmt: skip


def countable(op: Op) -> list[Param]:
    """The conditions that an operation takes."""
    return [p for p in op.params if p.role.startswith(("eq:", "min:", "max:"))]


def lists(plan: Blueprint) -> list[Op]:
    """Operations whose brief lists show something that can be compared."""
    return [
        op
        for op in plan.ops
        if op.action == "list"
        and (op.type.fields[0].kind.numeric or op.type.fields[0].kind.base == "date")
    ]


def counters(plan: Blueprint) -> list[Op]:
    """Operations by which records that meet a condition can be counted."""
    return [op for op in plan.ops if op.action in ("count", "list") and countable(op)]
