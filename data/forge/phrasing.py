"""How people say a field's value: behind the entity, or as what it is to be from now on."""

from __future__ import annotations

from typing import Any

from tooldrill.data.forge.blueprint import Type
from tooldrill.data.forge.lexicon import Field
from tooldrill.data.forge.scene import Scene
from tooldrill.data.forge.speech import is_or_are, number_words, plural
from tooldrill.data.forge.voices import reserved
from tooldrill.data.values.words import word_list

# A change is asked for by the parameter's own name this often; otherwise in other words.
NAMED_SHARE = 0.25


def clause(scene: Scene, type_: Type, field: Field, value: Any) -> str:
    """A field's value as it follows the entity, mostly without the field's name."""
    draw = scene.draw
    if draw.chance(NAMED_SHARE) and field.kind.base != "flag":
        form = draw.pick(("{name} {v}", "{name}: {v}", "with {v} as {name}", "{name} is {v}"))
        name = spoken_name(draw, type_, field)
        form = form.replace(" is ", f" {is_or_are(name)} ")
        return form.format(name=name, v=_bare(draw, field, value, name))
    return plain_clause(draw, field, value, True)


def _bare(draw: Any, field: Field, value: Any, name: str) -> str:
    """A value as it stands beside its field's name.

    `for beginners` would not fit there, and of the boxes nobody says that they are 9 boxes.
    """
    if field.kind.base == "enum":
        return str(value).replace("_", " ")
    unit = field.kind.unit
    if field.kind.base == "int" and {unit, plural(unit), "count", "number"} & set(name.split()):
        return number_words(draw, value)
    return str(field.kind.say(draw, value))


def plain_clause(draw: Any, field: Field, value: Any, plain: bool) -> str:
    """A field's value in the words that do without its name."""
    forms = field.no_clauses if field.kind.base == "flag" and not value else field.clauses
    form = draw.pick(forms) if plain else forms[0]
    return str(form.format(v=field.kind.say(draw, value)))


def spoken_name(draw: Any, type_: Type, field: Field) -> str:
    """Sometimes another of its names than the one this world uses."""
    names = [n for n in (type_.names[field.key], *field.names) if not _UNSPEAKABLE & set(n.split())]
    return str(draw.pick([*names, field.names[0]]))


# Words of names that are written and not spoken.
_UNSPEAKABLE = frozenset(
    word_list(
        """
    on at until by to from of for contains made opens begins departs valid per kg kw gb mg g
    km sqm cm rh qty pax sn ttl vcpus has is
    in must minutes
        """
    )
)


def change(scene: Scene, type_: Type, field: Field, value: Any, it: str) -> str:
    """A request to give a field another value."""
    draw = scene.draw
    said = field.kind.say(draw, value)
    flag = field.kind.base == "flag"
    if draw.chance(NAMED_SHARE) and not flag:
        form = draw.pick(reserved(scene.split, _NAMED))
        if it == "it":
            form = form.replace("the {name} of {it}", "its {name}")
        name = spoken_name(draw, type_, field)
        form = form.replace(" is now ", f" {is_or_are(name)} now ")
        return form.format(name=name, it=it, v=_bare(draw, field, value, name))
    forms = list(field.no_changes if flag and not value else field.changes)
    if not flag and draw.chance(0.5):
        forms += plain_changes(type_, field)
    return str(draw.pick(forms).format(it=it, v=said))


_NAMED = (
    "change the {name} of {it} to {v}", "set the {name} of {it} to {v}",
    "the {name} of {it} should be {v}", "make {v} the {name} of {it}",
    "the {name} of {it} is now {v}", "correct the {name} of {it} to {v}",
    "update {it} with {v} as its {name}", "put {v} as {name} on {it}",
)  # fmt: skip
_PLAIN = {
    "date": ("move {it} to {v}", "make it {v} for {it}", "put {it} on {v} instead"),
    "time": ("move {it} to {v}", "make it {v} for {it}"),
    "money": ("put {it} at {v}", "make it {v} for {it}"),
    "int": ("make it {v} for {it}",),
    "num": ("put {it} at {v}", "make it {v} for {it}"),
    "minutes": ("make it {v} for {it}",),
    "person": ("give {it} to {v}", "pass {it} on to {v}"),
    "company": ("switch {it} to {v}",),
    "city": ("switch {it} to {v}",),
}


def plain_changes(type_: Type, field: Field) -> tuple[str, ...]:
    """Words that name no field; clear only while no other field is of this kind."""
    kind = field.kind
    alike = [f for f in type_.fields if (f.kind.base, f.kind.unit) == (kind.base, kind.unit)]
    numbers = kind.base in ("int", "num") and not kind.unit
    alone = len(alike) == 1 and type_.entity.label.kind.base != kind.base
    return _PLAIN.get(kind.base, ()) if alone and not numbers else ()
