"""What each kind of hint, default and docstring becomes: the schema, and the line a model reads."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, Optional, TypedDict, Union

import pytest
from pydantic import BaseModel, Field, PositiveInt

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.introspect import EMPTY, Offered, tool_from_function, tool_from_parameters
from tooldrill.agent.signature import SignatureLevel, signature, type_text
from tooldrill.agent.tool import Registry, Tool


class Priority(Enum):
    """How urgent it is."""

    LOW = "low"
    HIGH = "high"


class Range(TypedDict):
    start: int
    end: NotRequired[int | None]


class Loose(Range, total=False):
    label: str


@dataclass
class Item:
    name: str
    tags: list[str] = field(default_factory=list)


class Address(BaseModel):
    street: str
    zip: Annotated[str, Field(pattern=r"^\d{5}$")] | None = None


class Order(BaseModel):
    """An order."""

    items: list[Address]
    first: Address


class Node(BaseModel):
    label: str
    children: list[Node] = []


def shown(hint: Any) -> tuple[str, dict[str, Any]]:
    tool = tool_from_parameters("t", "", [Offered("x", hint)])
    return type_text(tool.schema["properties"]["x"]), tool.schema["properties"]["x"]


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (str, "string"),
        (int, "integer"),
        (float, "number"),
        (bool, "boolean"),
        (None, "null"),
        (Any, "any"),
        (object, "any"),
        (list, "array"),
        (list[int], "array[integer]"),
        (tuple[int, str], "array[integer, string]"),
        (tuple[float, ...], "array[number]"),
        (set[str], "array[string]"),
        (dict, "object"),
        (dict[str, int], "object[integer]"),
        (Literal["a", 1, None], '"a"|1|null'),
        (Literal["only"], '"only"'),
        (Priority, '"low"|"high"'),
        (Optional[int], "integer|null"),  # noqa: UP045
        (Union[int, str], "integer|string"),  # noqa: UP007
        (list[Priority] | None, 'array["low"|"high"]|null'),
        (Annotated[int, Field(ge=1, le=5)], "integer(1..5)"),
        (Annotated[float, Field(ge=0.5)], "number(>=0.5)"),
        (Annotated[int, Field(le=9)], "integer(<=9)"),
        (Path, "string"),
        (date, "string(date)"),
        (datetime, "string(date-time)"),
        (Range, "{start: integer, end?: integer|null}"),
        (Loose, "{start: integer, end?: integer|null, label?: string}"),
        (list[Range], "array[{start: integer, end?: integer|null}]"),
        (Item, "{name: string, tags?: array[string]}"),
        (Address, "{street: string, zip?: string|null}"),
        (
            Order,
            "{items: array[{street: string, zip?: string|null}], "
            "first: {street: string, zip?: string|null}}",
        ),
    ],
)
def test_a_hint_is_shown_as_its_json_type(hint: Any, text: str) -> None:
    assert shown(hint)[0] == text


@pytest.mark.parametrize("hint", [Range, Loose, Item, Address, Order, list[Address]])
def test_objects_are_closed_and_carry_no_generated_titles(hint: Any) -> None:
    tool = tool_from_parameters("t", "", [Offered("x", hint)])
    assert '"title"' not in str(tool.schema).replace("'", '"')
    good = {
        "Range": {"start": 1}, "Loose": {"start": 1, "label": ""}, "Item": {"name": ""},
        "Address": {"street": ""}, "Order": {"items": [], "first": {"street": ""}},
    }.get(getattr(hint, "__name__", ""), [{"street": ""}])  # fmt: skip
    assert check_calls([Call("t", {"x": good})], Registry([tool])) == []
    inner = good[0] if isinstance(good, list) else good
    inner["zzz"] = 1
    (found,) = check_calls([Call("t", {"x": good})], Registry([tool]))
    assert found.kind == "invented_argument"
    assert found.path in ("$.x.zzz", "$.x[0].zzz")


def test_a_recursive_type_is_checked_all_the_way_down() -> None:
    registry = Registry([tool_from_parameters("t", "", [Offered("x", Node)])])
    deep = {"label": "a", "children": [{"label": "b", "children": [{"label": 3}]}]}
    (found,) = check_calls([Call("t", {"x": deep})], registry)
    assert (found.kind, found.path) == ("wrong_type", "$.x.children[0].children[0].label")


@pytest.mark.parametrize(
    ("hint", "default", "expected"),
    [
        (EMPTY, 3, "x=3"),
        (EMPTY, "a", 'x="a"'),
        (EMPTY, None, "x=null"),
        (EMPTY, (1, 2), "x=[1, 2]"),
        (EMPTY, Priority.LOW, 'x="low"'),
        (Path, Path("a/b"), 'x="a/b"'),
        (date, date(2026, 1, 31), 'x="2026-01-31"'),
        (datetime, datetime(2026, 1, 31, 9), 'x="2026-01-31T09:00:00"'),
        (set[str], {"b", "c", "a"}, 'x=["a", "b", "c"]'),
        (Item, Item("n"), 'x={"name": "n", "tags": []}'),
        (Address, Address(street="s"), 'x={"street": "s", "zip": null}'),
        (dict[str, int], {"a": 1}, 'x={"a": 1}'),
        # Not JSON, or not what the type allows: an option whose default a call cannot write.
        (EMPTY, object(), "x?"),
        (float, float("inf"), "x?"),
        (Callable[[], int], print, ""),
        (int, None, "x?"),
        (PositiveInt, 0, "x?"),
    ],
)
def test_a_default_is_shown_when_a_call_may_write_it(
    hint: Any, default: Any, expected: str
) -> None:
    tool = tool_from_parameters("t", "", [Offered("x", hint, default)])
    assert signature(tool) == f"t({expected})"
    assert not any(p.required for p in tool.parameters)
    for parameter in tool.parameters:
        if parameter.has_default:
            call = Call("t", {"x": parameter.default})
            assert check_calls([call], Registry([tool])) == []


def test_a_required_parameter_that_json_cannot_express_is_named() -> None:
    with pytest.raises(TooldrillError) as caught:
        tool_from_parameters("t", "", [Offered("a", int), Offered("fn", Callable[[], int])])
    assert "'t'" in caught.value.message and "'fn'" in caught.value.message
    assert "\n" not in caught.value.message


def google(path: str, limit: int = 5) -> None:
    """Read a file
    from its beginning.

    Only text files.

    Args:
        path (str): Where it is,
            relative to the folder.
        limit: How many lines.

    Returns:
        Nothing.
    """


def numpy(path: str, limit: int = 5) -> None:
    """Read a file from its beginning.

    Only text files.

    Parameters
    ----------
    path : str
        Where it is,
        relative to the folder.
    limit : int, optional
        How many lines.
    """


def rest(path: str, limit: int = 5) -> None:
    """Read a file from its beginning.

    Only text files.

    :param path: Where it is,
        relative to the folder.
    :param int limit: How many lines.
    :returns: Nothing.
    """


@pytest.mark.parametrize("function", [google, numpy, rest])
def test_docstrings_of_every_style_say_the_same(function: Any) -> None:
    tool = tool_from_function(function)
    assert tool.description == "Read a file from its beginning.\n\nOnly text files."
    assert [p.description for p in tool.parameters] == [
        "Where it is, relative to the folder.",
        "How many lines.",
    ]
    assert signature(tool, SignatureLevel.TYPED) == (
        f"{function.__name__}(path: string, limit: integer = 5) - Read a file from its beginning."
    )


def test_the_three_levels() -> None:
    def book(when: date, guests: list[str], seats: Annotated[int, Field(ge=1)] = 2, note=None):
        """Book a table."""

    tool = tool_from_function(book)
    assert signature(tool, SignatureLevel.NAMES) == "book"
    assert signature(tool) == "book(when, guests, seats=2, note=null)"
    assert signature(tool, SignatureLevel.TYPED) == (
        "book(when: string(date), guests: array[string], seats: integer(>=1) = 2, "
        "note: any = null) - Book a table."
    )


class Desk:
    """Callable, and with methods."""

    def __call__(self, ticket: int) -> None:
        """Call a ticket."""

    def close(self, ticket: int, *, reason: str = "done") -> None:
        """Close a ticket."""


def test_methods_partials_and_callable_objects() -> None:
    assert signature(tool_from_function(Desk().close)) == 'close(ticket, reason="done")'
    assert signature(tool_from_function(Desk(), "desk")) == "desk(ticket)"
    partial = functools.partial(google, limit=9)
    assert signature(tool_from_function(partial)) == "google(path, limit=9)"
    assert tool_from_function(partial).parameters[0].schema["type"] == "string"


async def later(x: int) -> int:
    """Do it later."""
    return x


def test_async_functions_are_tools_like_others() -> None:
    assert signature(tool_from_function(later), SignatureLevel.TYPED) == (
        "later(x: integer) - Do it later."
    )


def test_the_same_code_gives_the_same_schema_every_time() -> None:
    one, other = (
        tool_from_parameters("t", "", [Offered("x", set[str], {"b", "a", "c"})]) for _ in range(2)
    )
    assert isinstance(one, Tool)
    assert one == other


def test_a_description_in_the_hint_is_the_nearest() -> None:
    def f(a: Annotated[int, Field(description="from the hint")], b: int) -> None:
        """Do it.

        Args:
            a: from the docstring.
            b: only here.
        """

    described = [p.description for p in tool_from_function(f).parameters]
    assert described == ["from the hint", "only here."]


def test_only_hints_of_offered_parameters_must_resolve() -> None:
    def f(a: int, context: Nowhere = None, extra: Nowhere | None = None) -> Nowhere:  # type: ignore[name-defined] # noqa: F821
        """Do it."""

    assert signature(tool_from_function(f)) == "f(a)"

    def g(a: Nowhere) -> None:  # type: ignore[name-defined] # noqa: F821
        """Do it."""

    with pytest.raises(TooldrillError, match="'a'"):
        tool_from_function(g)
