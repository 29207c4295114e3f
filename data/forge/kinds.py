"""Kinds of values: their JSON type, how they are drawn, how people say them.

A kind knows one value at a time. What a value means for an entity (nights of a booking, weight of
a parcel) is a field's matter: see `lexicon`. Values said in other words than the schema's form
(`a dozen`, `half past four`, `Friday 5 June 2026`) are made here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field as Constraint
from typing_extensions import TypedDict

from tooldrill.agent.introspect import Offered, tool_from_parameters
from tooldrill.agent.json_schema import JsonSchema
from tooldrill.data.forge import pools
from tooldrill.data.forge.speech import date_words, minutes_words, number_words, plural, time_words
from tooldrill.data.forge.values import TEXT_MAKERS
from tooldrill.data.values.names import Draw

Address = TypedDict("Address", {"street": str, "city": str, "postcode": str})  # noqa: UP013
Size = TypedDict("Size", {"width": int, "height": int})  # noqa: UP013
Person = TypedDict("Person", {"name": str, "phone": str})  # noqa: UP013
Line = TypedDict("Line", {"item": str, "quantity": int})  # noqa: UP013

CURRENCIES = {
    "USD": ("${}", "{} dollars", "{} bucks", "{} USD", "USD {}"),
    "EUR": ("€{}", "{} euros", "EUR {}", "{} EUR", "{} euro"),
    "GBP": ("£{}", "{} pounds", "GBP {}", "{} quid"),
    "CHF": ("{} francs", "CHF {}", "{} Swiss francs"),
}
UNITS = {
    "kg": ("{} kg", "{} kilograms", "{} kilos", "{}kg"),
    "km": ("{} km", "{} kilometres", "{}km"),
    "m2": ("{} m²", "{} square metres", "{} sqm"),
    "cm": ("{} cm", "{} centimetres", "{}cm"),
    "l": ("{} l", "{} litres", "{}l"),
    "ml": ("{} ml", "{} millilitres", "{}ml"),
    "C": ("{} °C", "{} degrees", "{} degrees Celsius", "{}°"),
    "kW": ("{} kW", "{} kilowatts"),
    "kWh": ("{} kWh", "{} kilowatt hours"),
    "GB": ("{} GB", "{} gigabytes", "{} gigs"),
    "t": ("{} t", "{} tonnes", "{} metric tons"),
    "m": ("{} m", "{} metres"),
    "mg": ("{} mg", "{} milligrams"),
    "g": ("{} g", "{} grams"),
}
UNIT_NAMES = {
    "kg": "kilograms", "km": "kilometres", "m2": "square metres", "cm": "centimetres",
    "l": "litres", "ml": "millilitres", "C": "degrees Celsius", "kW": "kilowatts",
    "kWh": "kilowatt hours", "GB": "gigabytes", "t": "tonnes", "m": "metres",
    "mg": "milligrams", "g": "grams",
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of value.

    Attributes:
        base: `int`, `num`, `money`, `minutes`, `percent`, `date`, `time`, `enum`, `flag`, `tags`,
            `address`, `size`, `person_card`, `lines`, `ids`, or a kind of text (`person`, `code`).
        spec: what the base needs: bounds and unit, options, a prefix.
        strict: whether the JSON Schema itself carries range and format.
    """

    base: str
    spec: tuple[str, ...] = ()
    strict: bool = False

    @property
    def numeric(self) -> bool:
        return self.base in ("int", "num", "money", "minutes", "percent")

    @property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest value of a numeric kind."""
        return (0, 100) if self.base == "percent" else (int(self.spec[0]), int(self.spec[1]))

    @property
    def unit(self) -> str:
        return self.spec[2] if len(self.spec) > 2 else ""

    @property
    def options(self) -> tuple[str, ...]:
        """The values of an enum, or the vocabulary of tags."""
        return tuple(option.split("=")[0] for option in self.spec)

    @property
    def textual(self) -> bool:
        return self.base in TEXT_MAKERS

    def hint(self) -> Any:
        """The Python type an author would write."""
        match self.base:
            case "int" | "minutes" | "percent":
                return _ranged(int, *self.bounds) if self.strict else int
            case "num" | "money":
                return _ranged(float, *self.bounds) if self.strict else float
            case "date":
                return date if self.strict else str
            case "time":
                return time if self.strict else str
            case "enum":
                return Literal[self.options]
            case "flag":
                return bool
            case "tags":
                return list[str]
            case "ids":
                return list[int] if self.spec[0] == "int" else list[str]
            case "id":
                return int if self.spec[0] == "int" else str
            case "lines":
                return list[Line]
        return _NESTED.get(self.base, str)

    def schema(self, *, nullable: bool = False) -> JsonSchema:
        """The JSON Schema of a parameter of this kind, as introspection makes it."""
        return dict(_introspected(self, nullable))

    def draw(self, draw: Draw) -> Any:
        """A random value."""
        match self.base:
            case "int":
                low, high = self.bounds
                # Small numbers are what people say, and what they say in words.
                return draw.number(low, min(high, low + 20) if draw.chance(0.5) else high)
            case "num":
                return _rounded(draw.number(self.bounds[0] * 10, self.bounds[1] * 10) / 10, draw)
            case "money":
                return _rounded(draw.number(self.bounds[0] * 100, self.bounds[1] * 100) / 100, draw)
            case "minutes":
                low, high = self.bounds
                step = draw.pick((5, 15, 30, 30, 60))
                return max(low, draw.number(low, high) // step * step)
            case "percent":
                return draw.pick((5, 10, 12, 15, 20, 25, 30, 35, 40, 50, 60, 65, 75, 80, 90))
            case "date":
                return (date(2025, 1, 1) + timedelta(days=draw.number(0, 1200))).isoformat()
            case "time":
                return f"{draw.number(6, 22):02}:{draw.pick((0, 0, 15, 30, 30, 45, 5, 40)):02}"
            case "enum":
                return draw.pick(self.options)
            case "flag":
                return draw.chance(0.5)
            case "tags":
                return sorted(draw.sample(self.options, draw.number(1, min(3, len(self.options)))))
            case "address":
                code = f"{draw.number(1000, 99999):05}"
                return {"street": pools.street(draw), "city": pools.city(draw), "postcode": code}
            case "size":
                return {"width": draw.number(10, 400), "height": draw.number(10, 400)}
            case "person_card":
                return {"name": pools.person(draw), "phone": TEXT_MAKERS["phone"](draw, ())}
            case "lines":
                things = draw.several(draw.product, draw.number(1, 3))
                return [{"item": thing, "quantity": draw.number(1, 24)} for thing in things]
        return TEXT_MAKERS[self.base](draw, self.spec)

    def say(self, draw: Draw, value: Any) -> str:
        """The value as a person writes it; free text as it is, since it must be copied exactly."""
        match self.base:
            case "int":
                if not self.unit:
                    return number_words(draw, value)
                unit = self.unit if value == 1 else plural(self.unit)
                return f"{number_words(draw, value)} {unit}"
            case "num":
                return draw.pick(UNITS[self.unit]).format(_plain(value))
            case "money":
                return draw.pick(CURRENCIES[self.unit]).format(_price(value))
            case "minutes":
                return minutes_words(draw, value)
            case "percent":
                return draw.pick(("{}%", "{} %", "{} percent", "{}%", "{} per cent")).format(value)
            case "date":
                return date_words(draw, value)
            case "time":
                return time_words(draw, value)
            case "enum":
                return draw.pick(self._spoken(value))
            case "flag":
                return "yes" if value else "no"
            case "tags":
                return listed(value)
            case "address":
                forms = ("{street}, {postcode} {city}", "{street} in {city} ({postcode})",
                         "{street}, {city} {postcode}")  # fmt: skip
                return draw.pick(forms).format(**value)
            case "size":
                forms = ("{width} by {height} cm", "{width} x {height} cm",
                         "{width} cm wide and {height} cm high")  # fmt: skip
                return draw.pick(forms).format(**value)
            case "person_card":
                forms = ("{name} ({phone})", "{name}, phone {phone}", "{name}, {phone}")
                return draw.pick(forms).format(**value)
            case "lines":
                return listed([_line_words(draw, line) for line in value])
            case "ids":
                return listed([str(item) for item in value])
        return str(value)

    def _spoken(self, value: str) -> tuple[str, ...]:
        for option in self.spec:
            name, *ways = option.split("=")
            if name == value:
                return (name.replace("_", " "), *ways)
        return (value,)

    def problem(self, value: Any) -> str:
        """Why the value is refused though its JSON type is right; empty when it is not."""
        if self.numeric:
            low, high = self.bounds
            if not low <= value <= high:
                return f"out of range: {value} is not between {low} and {high}"
        elif self.base == "date" and not _parses(date.fromisoformat, value, r"\d{4}-\d\d-\d\d"):
            return f"not a date (YYYY-MM-DD): {value!r}"
        elif self.base == "time" and not _parses(time.fromisoformat, value, r"\d\d:\d\d"):
            return f"not a time (HH:MM): {value!r}"
        elif self.base == "tags" and not value:
            return "the list is empty"
        elif self.base == "lines" and any(line["quantity"] < 1 for line in value):
            return "out of range: every quantity must be at least 1"
        elif self.textual and not value.strip():
            return "the text is empty"
        return ""


def listed(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def shown(value: Any) -> str:
    """A value in an observation that is not JSON."""
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(shown(item) for item in value) or "none"
        case dict():
            return " ".join(f"{key}={shown(item)}" for key, item in value.items())
        case None | "":
            return "-"
    return str(value)


_NESTED: dict[str, Any] = {"address": Address, "size": Size, "person_card": Person}


def _ranged(number: type, low: int, high: int) -> Any:
    return Annotated[number, Constraint(ge=low, le=high)]


@lru_cache(maxsize=4096)
def _introspected(kind: Kind, nullable: bool) -> JsonSchema:
    hint = kind.hint()
    tool = tool_from_parameters("tool", "", [Offered("it", hint | None if nullable else hint)])
    schema: JsonSchema = tool.schema["properties"]["it"]
    return schema


def _rounded(value: float, draw: Draw) -> int | float:
    """Mostly whole, as people write it."""
    value = value if draw.chance(0.4) else round(value)
    return int(value) if value == int(value) else value


def _plain(value: float) -> str:
    return f"{value:,}" if value >= 10_000 else str(value)


def _price(value: float) -> str:
    """With both digits of the cents, or none."""
    digits = 0 if value == int(value) else 2
    return f"{value:,.{digits}f}" if value >= 10_000 else f"{value:.{digits}f}"


def _line_words(draw: Draw, line: dict[str, Any]) -> str:
    form = draw.pick(("{n} x {item}", "{n} of the {item}", "{n}x {item}", "{item} ({n} pieces)"))
    return form.format(n=line["quantity"], item=line["item"])


def _parses(parse: Callable[[str], object], text: str, shape: str) -> bool:
    if not re.fullmatch(shape, text, re.ASCII):
        return False
    try:
        parse(text)
    except ValueError:
        return False
    return True
