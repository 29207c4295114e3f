"""Arguments with what a person would say for each: every leaf of a value has its own words.

A value that nobody could say in a sentence (a deep structure, a blob) is not drawn: the operation
then goes without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tooldrill.agent.tool import JsonSchema, Parameter
from tooldrill.data.harvest.kinds import UNSAYABLE, Kind, kind_of
from tooldrill.data.harvest.patterns import simple_pattern
from tooldrill.data.harvest.prose import label, words
from tooldrill.data.harvest.texts import About
from tooldrill.data.values.names import Draw, number_word

Path = tuple[str | int, ...]
_TRIES = 4
_MOST_LEAVES = 3
_EPOCH = datetime(2023, 1, 1, tzinfo=UTC)
_DAYS = 700
_UNIT = re.compile(
    r" ?(?:in )?\b(milliseconds|millis|ms|seconds|secs|minutes|hours|days|weeks|months|years|"
    r"percent|percentage|gigabytes|gib|gb|megabytes|mib|mb|kb|bytes)$"
)
_UNIT_WORDS = {
    "millis": "ms", "secs": "seconds", "percentage": "percent", "gib": "GiB", "gb": "GB",
    "mib": "MiB", "mb": "MB", "kb": "KB",
}  # fmt: skip
_SMALL = 10
STARTS = re.compile(r"\b(start|starting|from|since|after|min|begin|earliest|newer)\b")
ENDS = re.compile(r"\b(end|ending|until|before|max|stop|latest|older|expir\w*|to)\b")
_MINUTE = 60


@dataclass(frozen=True)
class Leaf:
    """A scalar of an argument and how it is said.

    Attributes:
        path: from the arguments object down.
        said: the value as a person writes it; empty for a boolean, which is said by its clause.
        label: the words of its name, those of a unit that is said with the number left out.
        kind: the sort of text; None for numbers, enums, dates and booleans.
        options: the values of its enum.
        pair: the key that it is said with, where it belongs to one (a tag, an entry of a map).
    """

    path: Path
    value: Any
    said: str
    label: str
    description: str
    kind: Kind | None = None
    options: tuple[Any, ...] = ()
    pair: str = ""

    @property
    def of_pair(self) -> bool:
        """Whether it is the value of its pair, not a tag's key."""
        return bool(self.pair) and str(self.path[-1]).lower() != "key"

    @property
    def name(self) -> str:
        """The parameter's own name, or the innermost field's."""
        return str(next(part for part in reversed(self.path) if isinstance(part, str)))


@dataclass(frozen=True)
class Argument:
    """A value for one parameter."""

    name: str
    value: Any
    leaves: tuple[Leaf, ...]


class _UnsayableError(Exception):
    """Nothing of this type can be said."""


def draw_argument(
    draw: Draw, parameter: Parameter, source: str, service: str, owner: str = ""
) -> Argument | None:
    """A value for the parameter with the words for it; None when it cannot be said.

    Args:
        owner: what the operation is about, as a slug.
    """
    drawing = _Drawing(draw, source, service, owner)
    try:
        value, leaves = drawing.any(parameter.schema, (parameter.name,), parameter.description)
    except _UnsayableError:
        return None
    return Argument(parameter.name, value, tuple(leaves))


class _Drawing:
    def __init__(self, draw: Draw, source: str, service: str, owner: str) -> None:
        self.draw, self.source, self.service, self.owner = draw, source, service, owner

    def any(self, schema: JsonSchema, path: Path, text: str) -> tuple[Any, list[Leaf]]:
        match schema.get("type"):
            case "array":
                return self._array(schema, path, text)
            case "object":
                return self._object(schema, path, text)
            case "string" | "integer" | "number" | "boolean":
                leaf = self._leaf(schema, path, text)
                return leaf.value, [leaf]
        raise _UnsayableError

    def _array(self, schema: JsonSchema, path: Path, text: str) -> tuple[Any, list[Leaf]]:
        items = schema["items"]
        fields = items.get("properties", {})
        if items.get("type") == "object" and set(fields) in ({"Key", "Value"}, {"key", "value"}):
            return self._tags(tuple(fields), path, text)
        if items.get("type") == "object":
            value, leaves = self.any(items, (*path, 0), text)
            return [value], leaves
        if items.get("type") not in ("string", "integer", "number"):
            raise _UnsayableError
        count = self.draw.pick((1, 1, 2, 3))
        made: list[Leaf] = []
        for index in range(count):
            leaf = self._leaf(items, (*path, index), text)
            if leaf.value in [one.value for one in made]:
                break
            made.append(leaf)
        return [leaf.value for leaf in made], made

    def _tags(self, keys: tuple[str, ...], path: Path, text: str) -> tuple[Any, list[Leaf]]:
        key, value = sorted(keys)
        pairs = self._pairs()
        leaves = [
            Leaf((*path, i, part), said, said, label(str(path[0])), text, pair=pair[0])
            for i, pair in enumerate(pairs)
            for part, said in zip((key, value), pair, strict=True)
        ]
        return [{key: left, value: right} for left, right in pairs], leaves

    def _pairs(self) -> list[tuple[str, str]]:
        draw = self.draw
        keys = draw.several(draw.pick((draw.word, draw.topic)), draw.pick((1, 1, 2)))
        makers: tuple[Callable[[], str], ...] = (
            draw.word,
            draw.topic,
            lambda: f"{draw.word()}-{draw.number(1, 99)}",
        )
        return [(key, draw.pick(makers)()) for key in keys]

    def _object(self, schema: JsonSchema, path: Path, text: str) -> tuple[Any, list[Leaf]]:
        if "properties" not in schema:
            values = schema.get("additionalProperties")
            if not isinstance(values, dict) or values.get("type") != "string" or "enum" in values:
                raise _UnsayableError
            pairs = self._pairs()
            named = label(str(path[0]))
            entries = [Leaf((*path, k), v, v, named, text, pair=k) for k, v in pairs]
            return dict(pairs), entries
        fields: JsonSchema = schema["properties"]
        chosen = list(schema.get("required", ()))
        if not chosen:
            simple = [k for k, f in fields.items() if f.get("type") not in ("array", "object")]
            chosen = [self.draw.pick(simple)] if simple else []
        made: dict[str, Any] = {}
        leaves: list[Leaf] = []
        for name in chosen:
            made[name], inner = self.any(fields[name], (*path, name), "")
            leaves += inner
        # Tags inside a structure would take a sentence of their own.
        if not leaves or len(leaves) > _MOST_LEAVES or any(leaf.pair for leaf in leaves):
            raise _UnsayableError
        return made, leaves

    def _leaf(self, schema: JsonSchema, path: Path, text: str) -> Leaf:
        name = str(next(part for part in reversed(path) if isinstance(part, str)))
        named = label(name)
        if "enum" in schema:
            value = self.draw.pick(schema["enum"])
            options = tuple(schema["enum"])
            return Leaf(path, value, self._option(value, options), named, text, None, options)
        match schema["type"]:
            case "boolean":
                value = not schema["default"] if "default" in schema else self.draw.chance(0.7)
                return Leaf(path, value, "", named, text)
            case "integer" | "number":
                return self._number(schema, path, named, text)
        if schema.get("format") in ("date-time", "date"):
            value, said = self._time(schema["format"], named)
            return Leaf(path, value, said, named, text)
        about = About(name, text, schema, self.source, self.service, self.owner)
        kind = kind_of(about)
        if kind is UNSAYABLE:
            raise _UnsayableError
        return Leaf(path, value := self._text(about, kind), value, named, text, kind)

    def _option(self, value: Any, options: tuple[Any, ...]) -> str:
        """The option in words where no other option has the same words, else as it is."""
        spoken = said_option(value)
        same = [o for o in options if said_option(o) == spoken]
        if len(same) > 1 or not spoken or self.draw.chance(0.35):
            return str(value)
        return spoken

    def _text(self, about: About, kind: Kind) -> str:
        schema = about.schema
        pattern = schema.get("pattern")
        simple = simple_pattern(pattern) if pattern and "[^/]+" not in pattern else None
        for attempt in range(_TRIES):
            value = kind.make(self.draw, about)
            if simple is not None and (attempt == _TRIES - 1 or not simple.matches(value)):
                value = simple.value(self.draw.rng)
            low, high = schema.get("minLength", 1), schema.get("maxLength", 1 << 20)
            if low <= len(value) <= high and (simple is None or simple.matches(value)):
                return value
        raise _UnsayableError

    def _number(self, schema: JsonSchema, path: Path, named: str, text: str) -> Leaf:
        draw = self.draw
        low = int(schema.get("minimum", 1 if schema.get("maximum", 1) >= 1 else 0))
        high = int(schema.get("maximum", max(low, 1) * draw.pick((10, 50, 200, 5000))))
        high = min(high, low + draw.pick((9, 90, 900)))
        if high < low:
            raise _UnsayableError
        if schema["type"] == "integer" and named.lower().endswith("date"):
            # A day in one number, as some APIs take it.
            written = f"{draw.number(2023, 2027)}{draw.number(1, 12):02}{draw.number(1, 28):02}"
            return Leaf(path, int(written), written, named, text)
        value: float = draw.number(low, high)
        if schema["type"] == "number" and value < high and draw.chance(0.6):
            value = round(value + draw.number(1, 99) / 100, 2)
        unit = _UNIT.search(named)
        word = number_word(int(value)) if value == int(value) and 0 <= value <= _SMALL else ""
        said = word if word and draw.chance(0.5) else str(value)
        if unit is None or unit.start() == 0:
            return Leaf(path, value, said, named, text)
        name = _UNIT_WORDS.get(unit[1], unit[1])
        if name == "seconds" and value != 0 and value % _MINUTE == 0:
            minutes = int(value) // _MINUTE
            said, name = str(minutes), "minutes" if minutes > 1 else "minute"
        if value == 1:
            name = name.removesuffix("s")
        return Leaf(path, value, f"{said} {name}", named[: unit.start()].strip(), text)

    def _time(self, form: str, named: str) -> tuple[str, str]:
        # What ends does so after what begins, whichever is drawn first.
        later = _DAYS if ENDS.search(named.lower()) else 0
        moment = _EPOCH + timedelta(days=later + self.draw.number(0, _DAYS - 1))
        pick = self.draw.pick
        if form == "date":
            return moment.strftime("%Y-%m-%d"), pick(tuple(dates(moment)))
        moment += timedelta(minutes=15 * self.draw.number(0, 95))
        value = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return value, pick((value, *times(moment)))


def dates(day: datetime) -> Iterator[str]:
    """Ways to write a day."""
    month = day.strftime("%B")
    yield day.strftime("%Y-%m-%d")
    yield f"{month} {day.day}, {day.year}"
    yield f"{day.day} {month} {day.year}"
    yield f"{day.strftime('%A')}, {day.day} {month} {day.year}"
    yield f"{day.day} {day.strftime('%b')} {day.year}"


def times(moment: datetime) -> Iterator[str]:
    """Ways to write a moment in UTC."""
    for day in dates(moment):
        yield f"{day} {moment:%H:%M} UTC"
        yield f"{moment:%H:%M} UTC on {day}"


def said_option(value: Any) -> str:
    """An enum's value as words: `pay per request` for `PAY_PER_REQUEST`; empty for `t3.micro`."""
    text = str(value)
    if re.search(r"[^A-Za-z_\- ]", text):
        return ""
    return " ".join(words(text)).lower()
