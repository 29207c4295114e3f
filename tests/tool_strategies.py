"""Hypothesis strategies: parameters with every kind of hint, and arguments that fit them.

Used by the tests of the checker and of introspection. The values are JSON, as a call carries them.
"""

from __future__ import annotations

import enum
import json
import uuid
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict

import typing_extensions
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from tooldrill.agent.introspect import EMPTY, Offered, tool_from_parameters
from tooldrill.agent.tool import Tool


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Place(TypedDict):
    city: str
    zip: NotRequired[str]


class Address(typing_extensions.TypedDict):
    city: str
    zip: typing_extensions.NotRequired[str]


@dataclass
class Window:
    start: int
    end: int = 10


class Person(BaseModel):
    name: str
    age: Annotated[int, Field(ge=0, le=150)] = 0
    home: Address | None = None


class Kind(NamedTuple):
    """A hint and JSON values that fit it."""

    hint: Any
    values: st.SearchStrategy[Any]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip

_integers = st.integers() | st.integers(-1000, 1000).map(float)
_floats = st.floats(allow_nan=False, allow_infinity=False) | st.integers()
_places = st.fixed_dictionaries({"city": st.text()}, optional={"zip": st.text()})
_people = st.fixed_dictionaries(
    {"name": st.text()}, optional={"age": st.integers(0, 150), "home": st.none() | _places}
)

SIMPLE = [
    Kind(int, _integers),
    Kind(float, _floats),
    Kind(str, st.text()),
    Kind(bool, st.booleans()),
    Kind(None, st.none()),
    Kind(Any, json_values),
    Kind(Literal["a", "b", 3], st.sampled_from(["a", "b", 3])),
    Kind(Colour, st.sampled_from(["red", "blue"])),
    Kind(Size, st.sampled_from([1, 2])),
    Kind(Path, st.text()),
    Kind(date, st.dates().map(date.isoformat)),
    Kind(datetime, st.datetimes().map(datetime.isoformat)),
    Kind(uuid.UUID, st.uuids().map(str)),
    Kind(Annotated[int, Field(ge=1, le=9)], st.integers(1, 9)),
    Kind(Annotated[float, Field(gt=0)], st.floats(0, 1e9, exclude_min=True)),
    Kind(Annotated[str, Field(min_length=2, max_length=4)], st.text(min_size=2, max_size=4)),
    Kind(Annotated[str, Field(pattern="^[a-z]+$")], st.text("abcxyz", min_size=1)),
    Kind(dict, st.dictionaries(st.text(), json_values, max_size=2)),
    Kind(list, st.lists(json_values, max_size=2)),
    Kind(Place, _places),
    Kind(Window, st.fixed_dictionaries({"start": st.integers()}, optional={"end": st.integers()})),
    Kind(Person, _people),
]


def _wrap(inner: Kind) -> list[Kind]:
    hint, values = inner
    lists = st.lists(values, max_size=3)
    return [
        Kind(list[hint], lists),
        Kind(hint | None if hint is not None else int | None, st.none() | values),
        Kind(dict[str, hint], st.dictionaries(st.text(), values, max_size=2)),
        Kind(tuple[hint, str], st.tuples(values, st.text()).map(list)),
        Kind(tuple[hint, ...], lists),
        Kind(
            set[str] if hint not in (int, str) else set[hint],
            st.lists(st.text() if hint not in (int, str) else values, max_size=3, unique=True),
        ),
        Kind(hint | bool if hint is not None else bool | None, values | st.booleans()),
    ]


@st.composite
def kinds(draw: st.DrawFn) -> Kind:
    """A hint up to two containers deep."""
    kind = draw(st.sampled_from(SIMPLE))
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(_wrap(kind)))
    return kind


_names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("context", "stop_event", "self", "cls")
)


@st.composite
def tools_and_arguments(draw: st.DrawFn) -> tuple[Tool, dict[str, Any]]:
    """A tool, and arguments that it must accept: all required ones and some of the options."""
    parameters = draw(st.dictionaries(_names, kinds(), max_size=4))
    offered, arguments = [], {}
    for name, kind in parameters.items():
        required = draw(st.booleans())
        offered.append(Offered(name, kind.hint, EMPTY if required else object()))
        if required or draw(st.booleans()):
            arguments[name] = draw(kind.values)
    tool = tool_from_parameters(draw(_names), "Do it.", offered)
    return tool, json.loads(json.dumps(arguments))
