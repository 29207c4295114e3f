"""Every kind of hint, default and docstring: what `test_static_types` both runs and reads."""

# ruff: noqa
# fmt: off

from __future__ import annotations

import collections
import collections.abc as cabc
import dataclasses
import datetime as dt
import enum
import typing as t
from dataclasses import KW_ONLY, InitVar, dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum, auto
from pathlib import Path, PurePosixPath
from typing import (
    Annotated, Any, ClassVar, Dict, Generic, List, NamedTuple, Optional, Tuple, TypeVar, Union,
)
from typing import Literal as L
from uuid import UUID

import pydantic.dataclasses
from annotated_types import Ge, Interval, MaxLen
from pydantic import (
    BaseModel, ConfigDict, Field, PositiveInt, RootModel, StringConstraints, conint, conlist,
    constr,
)
from pydantic.alias_generators import to_camel
from typing_extensions import Doc, NotRequired, Required, TypeAlias, TypeAliasType, TypedDict

Mode = L["fast", "slow"]
Alias: TypeAlias = "int | Mode"
Count = Annotated[int, Field(ge=0, description="how many")]
Nothing = None
T = TypeVar("T")
B = TypeVar("B", bound=int)
UserId = t.NewType("UserId", int)
Json = TypeAliasType("Json", "Union[str, int, list[Json], dict[str, Json]]")
LIMIT = 60 * 60
EXTENSIONS = [".py", "." + "md"]
BIG: int = 1 << 20
WHERE = Path("data") / "in.txt"


class Color(StrEnum):
    """What it looks like."""

    RED = auto()
    GREEN = "g"
    ALSO_GREEN = GREEN

    def shout(self) -> str:
        return self.upper()


class Level(IntEnum):
    LOW = auto()
    HIGH = auto()


class Mixed(str, Enum):
    _ignore_ = ["other"]
    A = "a"
    B = "b" + "b"


class Perm(enum.Flag):
    R = auto()
    W = auto()


Size = Enum("Size", "SMALL LARGE")


class Address(TypedDict):
    """Where somebody lives."""

    street: str
    zip: NotRequired[str]


class Person(Address, total=False):
    name: Required[str]
    born: date
    friends: list["Person"]


Movie = TypedDict("Movie", {"in": str, "year": Required[int]}, total=False)


@dataclass(order=True)
class Range:
    """From and to."""

    start: int
    end: int = -1
    tags: list[str] = field(default_factory=list)
    extra: dict[str, int] = field(default_factory=lambda: {"a": 1})
    kind: ClassVar[str] = "r"
    _: KW_ONLY
    step: float = field(default=0.5, repr=False)

    def __len__(self) -> int:
        return self.end - self.start


@dataclasses.dataclass
class Tree(Range):
    children: "list[Tree]" = dataclasses.field(default_factory=list)
    start_at: InitVar[int] = 0


@pydantic.dataclasses.dataclass(config=ConfigDict(extra="forbid"))
class Checked:
    n: int = Field(ge=1, description="a number")
    inside: Optional["Query"] = None


class Point(NamedTuple):
    x: int
    y: int = 0
    label: Optional[str] = None


Pair = NamedTuple("Pair", [("left", int), ("right", "Color")])
Plain = collections.namedtuple("Plain", ["a", "b"])


class Base(BaseModel):
    """Has an id."""

    id: PositiveInt
    _private: int = 3


class Query(Base):
    """What to look for."""

    model_config = ConfigDict(
        alias_generator=to_camel, use_attribute_docstrings=True, extra="allow"
    )

    text_part: str = Field(min_length=1, max_length=5, description="the text | of it")
    mode: Mode = "fast"
    """How to do it."""
    color: Color = Color.RED
    nested: list[Range] = Field(default_factory=list)
    made: str = Field(default_factory=lambda: "x" * 3)
    on: Optional[date] = Field(None, examples=[1])
    sub: Optional[Query] = None
    other: "Node | None" = None
    where: Path = WHERE

    class Inner(BaseModel, frozen=True):
        value: int = LIMIT

    inner: Inner | None = None

    def method(self) -> None: ...


class Node(BaseModel):
    query: Query | None = None
    tree: Tree | None = None
    people: dict[str, Person] = {}
    checked: Checked | None = None


class Box(BaseModel, Generic[T]):
    item: T
    items: List[T] = []


class Tags(RootModel[list[str]]):
    """Several tags."""


def basics(
    a: str, b: int, c: float, d: bool, e: None, f: bytes, g: object, h: Any, i: complex = 1j
):
    """Basic types.

    Args:
        a (str): the first,
            over two lines.
        b: the second: with a colon.
    """


def containers(
    a: list, b: tuple, c: set, d: dict, e: frozenset, f: list[int], g: tuple[int, str],
    h: tuple[int, ...], i: tuple[()], j: set[str], k: dict[str, list[float]], l: frozenset[int],
    m: List[Dict[str, Tuple[int, ...]]], n: cabc.Sequence[str], o: cabc.Mapping[str, int],
    p: collections.abc.Iterable[int], q: collections.OrderedDict[str, int],
    r: collections.deque[int],
):
    """Containers."""


def choices(
    a: L["x", 1, None, True, b"b", -1], b: Mode, c: Alias, d: Color, e: Level, f: Mixed, g: Size,
    h: L[Color.RED, "z"], i: L[Mode, "w"], j: Optional[Mode] = None, k: "Mode" = "slow",
    l: Color = Color.GREEN, m: Mixed = Mixed.B, n: Level = Level.HIGH, o: str = Color.RED.value,
    p=Color.RED, q: Perm = Perm.R, r: Nothing = None, s: Size = Size.LARGE,
):
    """Choices."""


def unions(
    a: Optional[int], b: Union[int, str, None], c: int | str | None, d: "list[int | None]",
    e: t.Union["Color", "date"], f: Optional["Query"] = None, g: None | int = None,
):
    """Unions."""


def annotated(
    a: Annotated[int, Field(ge=1, le=10, description="between | 1 and 10")],
    b: Annotated[str, Field(pattern="^[a-z]+$"), MaxLen(5)],
    c: Annotated[int, Ge(1)], d: Annotated[float, Interval(gt=0, lt=1)], e: PositiveInt,
    f: conint(ge=1, multiple_of=2), g: conlist(str, min_length=1), h: Count,
    i: constr(pattern="x+"), j: Annotated[str, "a note", Doc("the doc")],
    k: Annotated[list[Annotated[int, Ge(0)]], MaxLen(3)],
    l: Annotated[str, StringConstraints(max_length=2, to_lower=True)] = "x",
    m: int = Field(5, ge=1, description="from a field"), n: str = Field(description="needed"),
    o: t.Annotated[t.Optional[int], Field(description="maybe")] = None,
):
    """Annotated.

    Parameters
    ----------
    c : int
        from one on
    d : float, optional
        Over
        two lines.
    """


def objects(
    a: Address, b: Person, c: Movie, d: Range, e: Tree, f: Point, g: Pair, h: Query, i: Node,
    j: list[Base], k: Box[int], l: Box[Color], m: Tags, n: Query.Inner, o: Checked, p: Plain,
    q: dict[str, Person] | None = None, r: Json = None, s: UserId = 3, t_: T = None, u: B = 1,
):
    """Objects.

    :param a: an address
    :param b: a person,
        who lives somewhere
    :type d: Range
    :returns: nothing
    """


def values(
    a: Path, b: PurePosixPath, c: date, d: datetime, e: dt.time, f: timedelta, g: UUID, h: Decimal,
    i: Path = Path("a/b"), j: date = date(2024, 1, 2), k: timedelta = timedelta(days=1, hours=2),
    l: Decimal = Decimal("1.50"), m: dt.datetime = dt.datetime(2024, 1, 1, tzinfo=timezone.utc),
    n: UUID = UUID("12345678123456781234567812345678"), o=Path("x"), p: Path = WHERE,
):
    """Values."""


def defaults(
    a=1, b="x", c=None, d=True, e=-1.5, f=[1, [2, {"k": (3,)}]], g={"a": {"b": None}}, h=(1, "a"),
    i={3, 1, 2}, j=LIMIT, k=EXTENSIONS, l=BIG, m=frozenset({"b", "a"}), n=float("inf"), o=object(),
    p: int = ..., q: int = None, r: PositiveInt = 0, s=2**10 - 1, t=not False, u=~5, v="a" "b",
    w=b"x", x: list = list(), y={**{"a": 1}, "b": 2},
):
    """Defaults.

    Not only the first line
    counts.
    """


def plumbing(self, cls, context, stop_event, a, /, b, *args: int, c, d=2, **kwargs: str):
    """Plumbing."""


async def waiting(model_config: str, schema: int = 1, _x: list[str] | None = None) -> str:
    """Waits."""


def functions(
    callback: cabc.Callable[[int], str] = print, other: t.Callable[..., int] | None = None
):
    """Takes functions."""


def undocumented(a, b: str = ""): ...


@t.overload
def overloaded(a: int) -> int: ...
@t.overload
def overloaded(a: str, b: int) -> str: ...
def overloaded(a: int | str, b: int = 0) -> int | str:
    """The last one counts."""
    return a
