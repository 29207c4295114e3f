"""Hints and defaults read from a file are those that running it would give."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tooldrill.agent.introspect import tool_from_function, tool_from_parameters
from tooldrill.agent.sources.skills.static_file import StaticFile
from tooldrill.agent.sources.skills.static_types import offered_parameters
from tooldrill.agent.tool import Tool

# Run by the one reader, only read by the other.
RICH_FILE = Path(__file__).with_name("rich_tools.py")
RICH = RICH_FILE.read_text("utf-8")


def read(code: str, name: str = "tool") -> Tool:
    file = StaticFile(Path("skill.py"), code)
    function = file.functions[name]
    docstring = ast.get_docstring(function) or ""
    return tool_from_parameters(name, docstring, offered_parameters(file, function))


@pytest.fixture(scope="module")
def rich() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rich_tools_run_by_a_test", RICH_FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


RICH_NAMES = [
    *("basics", "containers", "choices", "unions", "annotated", "objects", "values", "defaults"),
    *("plumbing", "waiting", "functions", "undocumented", "overloaded"),
]


@pytest.mark.parametrize("name", RICH_NAMES)
def test_reading_gives_the_same_tool_as_running(name: str, rich: ModuleType) -> None:
    run = tool_from_function(getattr(rich, name))
    tool = read(RICH, name)
    assert tool.description == run.description
    assert list(tool.schema["properties"]) == list(run.schema["properties"])
    for parameter, schema in run.schema["properties"].items():
        assert tool.schema["properties"][parameter] == schema, parameter
    assert tool.schema == run.schema


def test_every_rich_function_is_compared(rich: ModuleType) -> None:
    functions = [f for f in vars(rich).values() if inspect.isfunction(f)]
    assert [f.__name__ for f in functions if f.__module__ == rich.__name__] == RICH_NAMES


# Texts of hints, with the names that the preamble imports.
_ATOMS = st.sampled_from(
    [
        *("str", "int", "float", "bool", "None", "Any", "Path", "date", "Color", "Point", "list"),
        *("dict", "Literal['a', 1]", "PositiveInt"),
        "Annotated[int, Field(ge=1, description='a | b')]",
    ]
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("list[{}]".format, inner),
        st.builds("dict[str, {}]".format, inner),
        st.builds("Optional[{}]".format, inner),
        st.builds("Union[{}, {}]".format, inner, inner),
        st.builds("tuple[{}, {}]".format, inner, inner),
        st.builds("tuple[{}, ...]".format, inner),
        st.builds("Annotated[{}, Field(description='x')]".format, inner),
        st.builds("Optional[{!r}]".format, inner),
    )


_HINTS = st.recursive(_ATOMS, _larger, max_leaves=6)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
_PREAMBLE = """
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union
from pydantic import Field, PositiveInt

class Color(Enum):
    RED = 1

class Point(NamedTuple):
    x: int
    y: Color | None = None
"""


@given(st.lists(_HINTS, min_size=1, max_size=3), st.lists(_VALUES, max_size=3), st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_hints_and_defaults_read_as_they_run(
    hints: list[str], values: list[Any], quoted: bool
) -> None:
    parameters = [f"p{i}: {h!r}" if quoted else f"p{i}: {h}" for i, h in enumerate(hints)]
    options = [f"q{i}={value!r}" for i, value in enumerate(values)]
    code = f"{_PREAMBLE}\ndef tool({', '.join(parameters + options)}): ..."
    module = ModuleType("generated_tool")
    exec(compile(code, "generated", "exec", dont_inherit=True), module.__dict__)
    assert read(code) == tool_from_function(module.tool)


def properties_of(code: str) -> dict[str, Any]:
    properties: dict[str, Any] = read(code).schema["properties"]
    return properties


def test_unknown_types_are_any_or_those_of_the_defaults() -> None:
    assert properties_of("""
from mine import Thing, LIMIT, make
from attrs import define

@define
class Defined:
    x: int

class Derived(Thing):
    y: int

def tool(a: Thing, b: Thing = 3, c: Thing | None = None, d: list[Thing] = [], e=LIMIT,
         f: int = LIMIT, g: "Thing" = "x", h: Defined = None, i: Derived = None,
         j: Nowhere = 1.5, k: 5 = True, l: "not python" = 1, m: tool = 1, n: make() = 1): ...
""") == {
        "a": {},
        "b": {"type": "integer", "default": 3},
        "c": {"default": None},
        "d": {"type": "array", "items": {}, "default": []},
        "e": {},
        "f": {"type": "integer"},
        "g": {"type": "string", "default": "x"},
        "h": {"default": None},
        "i": {"default": None},
        "j": {"type": "number", "default": 1.5},
        "k": {"type": "boolean", "default": True},
        "l": {"type": "integer", "default": 1},
        "m": {"type": "integer", "default": 1},
        "n": {"type": "integer", "default": 1},
    }


def test_what_running_would_not_stand() -> None:
    """Hints that break a real import, or need a package, still say what they can."""
    properties = properties_of("""
from typing import *
from typing import TypedDict
from datetime import date
from pydantic import BaseModel, EmailStr, Field

if TYPE_CHECKING:
    from elsewhere import Nothing

class Old(TypedDict):
    x: int

class Dated(BaseModel):
    date: Optional[date] = None
    n: int = Field(default_factory=unheard_of, ge=Nothing.y, le=9)

def tool(a: Old, b: Dated, c: EmailStr = "", d: Annotated[str, Nothing] = ""): ...
""")
    assert properties["a"] == {
        "type": "object",
        "properties": {"x": {"type": "integer"}},
        "required": ["x"],
        "additionalProperties": False,
    }
    dated = properties["b"]["properties"]
    assert dated["date"]["anyOf"] == [{"type": "string", "format": "date"}, {"type": "null"}]
    assert dated["n"] == {"type": "integer", "maximum": 9}
    assert "required" not in properties["b"]
    assert properties["c"]["format"] == "email"
    assert properties["d"] == {"type": "string", "default": ""}


def test_nothing_that_refers_to_itself_or_grows_hangs() -> None:
    doubled = "\n".join(f"A{i + 1} = [A{i}, A{i}]" for i in range(60))
    properties = properties_of(f"""
from typing import Union
Loop = Union[int, "Loop"]
Ring = list["Gnir"]
Gnir = list[Ring]
HERE = HERE
HUGE = 10 ** 10 ** 10
LONG = "x" * 10 ** 12
SHIFTED = 1 << 10 ** 12
WIDE = "%1000000000d" % 1
A0 = ["x"]
{doubled}
class Self(Self): ...
class One(Two): ...
class Two(One): ...
def tool(a: Loop = 1, b: Ring = [], c: Self = 1, d: One = 1, e=HERE, f=HUGE, g=LONG, h=SHIFTED,
         i=WIDE, j=A60, k=bytes(10 ** 12)): ...
""")
    assert properties["a"] == {"type": "integer", "default": 1}
    assert properties["b"]["items"]["type"] == "array"
    assert properties["c"] == properties["d"] == {"type": "integer", "default": 1}
    assert [properties[name] for name in "efghijk"] == [{}] * 7


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement is Python 3.12's")
def test_type_statements() -> None:
    properties = properties_of("""
from typing import Literal
type Mode = Literal["a", "b"]
type Tree = list[Tree] | int
def tool[T: int](a: Mode, b: Tree, c: T): ...
""")
    assert properties["a"] == {"type": "string", "enum": ["a", "b"]}
    assert properties["c"] == {}
