"""A user's functions as an environment: what arrives at the function, and what comes back."""

from __future__ import annotations

import asyncio
import functools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from tooldrill.agent.environment import Observation
from tooldrill.agent.functions import FunctionEnvironment


class Colour(Enum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    """Two numbers."""

    x: int
    y: float = 0.5


class Strict(BaseModel):
    """Takes dates, and no strings in their place."""

    model_config = ConfigDict(strict=True)
    day: date


def call(function: Callable[..., Any], **arguments: Any) -> Observation:
    return FunctionEnvironment({"f": function}).call("f", arguments)


@pytest.mark.parametrize(
    ("hint", "given", "received"),
    [
        (date, "2024-02-29", date(2024, 2, 29)),
        (Colour, "blue", Colour.BLUE),
        (Point, {"x": 3}, Point(3, 0.5)),
        (list[Point], [{"x": 1, "y": 2}], [Point(1, 2.0)]),
        (Path, "a/b", Path("a/b")),
        (set[int], [2, 1, 2], {1, 2}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (Strict, {"day": "2024-01-02"}, Strict(day=date(2024, 1, 2))),
        (float, 3, 3.0),
        (date | None, None, None),
        (Any, {"k": [1, None]}, {"k": [1, None]}),
    ],
)
def test_arguments_arrive_as_the_hints_say(hint: Any, given: Any, received: Any) -> None:
    got: list[Any] = []

    def keep(value: Any) -> None:
        """Keeps it."""
        got.append(value)

    keep.__annotations__["value"] = hint
    assert call(keep, value=given) == Observation("null")
    assert got == [received]
    assert type(got[0]) is type(received)


def test_the_type_of_a_default_converts_too() -> None:
    def weekday(day=date(2024, 1, 1)):
        """The day of the week."""
        return day.weekday()

    assert call(weekday, day="2024-01-03").text == "2"
    assert call(weekday).text == "0"


def test_what_does_not_convert_names_the_argument() -> None:
    def place(point: Point) -> None:
        """Puts it somewhere."""

    observation = call(place, point={"x": "three"})
    assert observation.error
    assert observation.text.startswith("ERROR: f: point.x: ")


def test_positional_only_parameters_are_filled_in_order() -> None:
    def show(a: int, b: int = 2, c: int = 3, /, d: int = 4, *, e: int = 5) -> list[int]:
        """All of them."""
        return [a, b, c, d, e]

    assert call(show, c=9, a=1, e=0).text == "[1, 2, 9, 4, 0]"


def test_methods_partials_and_callable_objects() -> None:
    class Counter:
        """Counts."""

        def __init__(self) -> None:
            self.total = 0

        def add(self, n: int) -> int:
            """Adds n."""
            self.total += n
            return self.total

        def __call__(self, text: str) -> str:
            """Says it with the total."""
            return f"{text} {self.total}"

    counter = Counter()
    environment = FunctionEnvironment(
        {"add": counter.add, "say": counter, "ten": functools.partial(counter.add, 10)}
    )
    assert environment.registry.names == ("add", "say", "ten")
    assert environment.registry["say"].description == "Says it with the total."
    assert environment.registry["ten"].description == "Adds n."
    assert environment.registry["ten"].parameters == ()
    assert environment.call("add", {"n": 2}).text == "2"
    assert environment.call("ten", {}).text == "12"
    assert environment.call("say", {"text": "now"}).text == "now 12"


def test_functions_written_in_c() -> None:
    assert call(math.isqrt, n=17).text == "4"
    assert call(math.pow, y=3, x=2).text == "8.0"


def test_async_functions_share_one_loop() -> None:
    loops: list[Any] = []

    async def later(n: int) -> int:
        """Later."""
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        return n + 1

    environment = FunctionEnvironment({"later": later})
    assert [environment.call("later", {"n": n}).text for n in (1, 2)] == ["2", "3"]
    assert loops[0] is loops[1]
    environment.close()
    assert loops[0].is_closed()


def test_a_hidden_parameter_without_a_default_is_told() -> None:
    def search(query: str, context) -> str:
        """Searches."""
        return query

    observation = call(search, query="x")
    assert observation.error
    assert re.search("needs `context`.* no default", observation.text)


def test_a_default_given_as_a_field() -> None:
    def page(size: Annotated[int, Field(ge=1)] = Field(20)) -> int:
        """A page."""
        return size * 2

    assert call(page).text == "40"
    assert call(page, size=3).text == "6"
    assert "f: size: " in call(page, size=0).text


@pytest.mark.parametrize(
    ("arguments", "part"), [({}, "`a` is missing"), ({"a": 1, "z": 2}, "no parameter `z`")]
)
def test_an_argument_too_few_or_too_many(arguments: dict[str, Any], part: str) -> None:
    def one(a: int) -> int:
        """One."""
        return a

    observation = FunctionEnvironment({"f": one}).call("f", arguments)
    assert observation.error
    assert part in observation.text


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("plain", "plain"),
        (None, "null"),
        ({"é": (1, date(2024, 1, 2))}, '{"é": [1, "2024-01-02"]}'),
        (Point(1), '{"x": 1, "y": 0.5}'),
        (b"\xffab", "\ufffdab"),
        ([b"\xff"], '["_w=="]'),
    ],
)
def test_results_as_text(result: Any, text: str) -> None:
    assert call(lambda: result) == Observation(text)


def test_failures_are_observations() -> None:
    def leave() -> None:
        """Leaves."""
        raise SystemExit(3)

    def broken() -> Any:
        """Gives what fails when it is read."""
        yield 1
        raise LookupError("half way")

    assert call(leave) == Observation("ERROR: SystemExit: 3", error=True)
    assert call(broken) == Observation("ERROR: LookupError: half way", error=True)
    assert call(lambda: "ERROR: told") == Observation("ERROR: told", error=True)
    assert FunctionEnvironment({}).call("f", {}).error
