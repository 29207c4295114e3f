"""Which parameters each operation takes, in the words of the world being designed."""

from __future__ import annotations

# ruff: noqa: E501 - wordings stand on one line
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tooldrill.agent.introspect import EMPTY
from tooldrill.data.forge.blueprint import Param, Type
from tooldrill.data.forge.kinds import Kind
from tooldrill.data.forge.lexicon import Field
from tooldrill.data.values.words import word_list

if TYPE_CHECKING:
    from tooldrill.data.forge.design import Designer

Maker = Callable[["Designer", Type, Field | None], list[Param]]

# Words of parameters that come from no field, noun or option (a test holds them together).
WORDS = frozenset(
    word_list(
        """
        id ids number ref list other to target second first by amount change delta difference
        how much text note comment remark body message tag label name keyword items lines
        positions contents query search contains q term from source giver taker new min max
        after before key
        """
    )
)


def _create(d: Designer, type_: Type, _: Field | None) -> list[Param]:
    made = [d.of_field(type_, type_.entity.label)]
    for index, about in enumerate(type_.fields):
        default: Any = EMPTY
        if index and d.rng.random() < 0.6:
            default = _usual(d, about)
        made.append(d.of_field(type_, about, default))
    return made


def _usual(d: Designer, about: Field) -> Any:
    """A default as authors choose them."""
    kind = about.kind
    if kind.base == "flag":
        return False
    if kind.base == "enum" and d.rng.random() < 0.7:
        return kind.options[0]
    if kind.base in ("int", "minutes") and d.rng.random() < 0.6:
        return kind.bounds[0]
    return d.style.absent


def _update(d: Designer, type_: Type, _: Field | None) -> list[Param]:
    size = min(len(type_.fields), d.rng.randint(2, 4))
    chosen = d.rng.sample(type_.fields, size)
    new = d.rng.random() < 0.3
    return [d.id_of(type_)] + [d.of_field(type_, f, d.style.absent, new=new) for f in chosen]


def _filters(d: Designer, type_: Type, _: Field | None) -> list[Param]:
    absent, names = d.style.absent, type_.names
    found = [d.param(type_, names["status"], "eq:status", type_.entity.flow.kind(), absent,
                     f"Only {type_.entity.plural} in this {names['status']}")]  # fmt: skip
    for about in type_.fields:
        name, kind = names[about.key], about.kind
        if kind.base in ("enum", "flag"):
            found.append(
                d.param(type_, name, f"eq:{about.key}", kind, absent, f"Only with this {name}")
            )
        elif kind.numeric or kind.base == "date":
            low, high = ("after", "before") if kind.base == "date" else ("min", "max")
            found.append(d.param(type_, f"{low} {name}", f"min:{about.key}", kind, absent,
                                 f"{'Earliest' if low == 'after' else 'Lowest'} {name}"))  # fmt: skip
            found.append(d.param(type_, f"{high} {name}", f"max:{about.key}", kind, absent,
                                 f"{'Latest' if low == 'after' else 'Highest'} {name}"))  # fmt: skip
    return d.rng.sample(found, min(len(found), d.rng.randint(1, 3)))


def _link(d: Designer, type_: Type, _: Field | None) -> list[Param]:
    other = d.targets[type_.refers_to]
    words, text = f"{other.noun} id", f"Id of the {other.noun}"
    return [d.id_of(type_), d.param(other, words, "ref", other.id_kind, EMPTY, text)]


def _id_and(*more: Callable[[Designer, Type, Field | None], Param]) -> Maker:
    return lambda d, type_, about: [d.id_of(type_), *(make(d, type_, about) for make in more)]


def _value(d: Designer, type_: Type, about: Field | None) -> Param:
    assert about is not None
    return d.of_field(type_, about, new=True)


def _status(d: Designer, type_: Type, _: Field | None) -> Param:
    name, kind = type_.names["status"], type_.entity.flow.kind()
    words = d.rng.choice((name, name, f"new {name}"))
    return d.param(type_, words, "status", kind, EMPTY, f"The {name} it goes to")


def _amount(d: Designer, type_: Type, about: Field | None) -> Param:
    assert about is not None
    _low, high = about.kind.bounds
    kind = Kind(about.kind.base, (str(-high), str(high), *about.kind.spec[2:]))
    words = d.rng.choice(("by", "amount", "change", "delta", "difference"))
    text = f"By how much the {type_.names[about.key]} changes; negative to lower it"
    return d.param(type_, words, "amount", kind, EMPTY, text)


def _moved(d: Designer, type_: Type, about: Field | None) -> Param:
    assert about is not None
    _, high = about.kind.bounds
    kind = Kind(about.kind.base, ("1", str(high), *about.kind.spec[2:]))
    name = type_.names[about.key]
    words = d.rng.choice(("amount", "how much", name))
    return d.param(type_, words, "amount", kind, EMPTY, f"How much {name} is moved")


def _text(d: Designer, type_: Type, _: Field | None) -> Param:
    words = d.rng.choice(("text", "note", "comment", "remark", "body", "message"))
    return d.param(type_, words, "text", Kind("text"), EMPTY, "What to write down")


def _tag(d: Designer, type_: Type, _: Field | None) -> Param:
    words = d.rng.choice(("tag", "label text", "tag name", "keyword"))
    return d.param(type_, words, "tag", Kind("word"), EMPTY, "One word")


def _many(d: Designer, type_: Type, _: Field | None) -> list[Param]:
    words = d.rng.choice(("{} ids", "ids", "{} list"))
    kind = Kind("ids", ("int" if type_.id_form == "int" else "str",))
    text = f"Ids of the {type_.entity.plural}"
    ids = d.param(type_, words.format(type_.noun), "ids", kind, EMPTY, text)
    return [ids, _status(d, type_, None)]


def _lines(d: Designer, type_: Type, _: Field | None) -> Param:
    words = d.rng.choice(("items", "lines", "positions", "contents"))
    return d.param(type_, words, "lines", Kind("lines"), EMPTY, "What to add, each with a quantity")


def _query(d: Designer, type_: Type, _: Field | None) -> list[Param]:
    name = type_.names["label"]
    words = d.rng.choice(("query", "text", "search", name, f"{name} contains", "q", "term"))
    return [d.param(type_, words, "query", Kind("word"), EMPTY, f"Part of the {name}")]


def _two(d: Designer, type_: Type, about: Field | None) -> list[Param]:
    first, second = d.rng.choice((("from", "to"), ("source", "target"), ("giver", "taker")))
    return [
        d.param(type_, f"{first} {type_.noun}", "id", type_.id_kind, EMPTY, "Which one gives"),
        d.param(type_, f"{second} {type_.noun}", "id2", type_.id_kind, EMPTY, "Which one receives"),
        _moved(d, type_, about),
    ]


def _copied(d: Designer, type_: Type, _: Field | None) -> Param:
    label = type_.entity.label
    words = f"new {type_.names['label']}"
    return d.param(type_, words, "label", label.kind, EMPTY, f"{words.capitalize()} of the copy")


MAKERS: dict[str, Maker] = {
    "create": _create,
    "get": _id_and(),
    "find": _query,
    "list": _filters,
    "count": _filters,
    "total": _filters,
    "update": _update,
    "set": _id_and(_value),
    "status": _id_and(_status),
    "step": _id_and(),
    "delete": _id_and(),
    "tag": _id_and(_tag),
    "untag": _id_and(_tag),
    "link": _link,
    "adjust": _id_and(_amount),
    "transfer": _two,
    "note": _id_and(_text),
    "copy": _id_and(_copied),
    "bulk": _many,
    "lines": _id_and(_lines),
}
