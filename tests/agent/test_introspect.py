"""From functions to tools: what is offered, what is hidden, what the schema says."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.introspect import registry_from_functions, tool_from_function
from tooldrill.agent.signature import untyped_parameters
from tooldrill.agent.tool import Registry, Tool


def plumbing(self, path: str, *args: int, context=None, stop_event=None, **kwargs: int) -> None:
    """Do it.

    Args:
        path: where to do it,
            over two lines.
    """


def test_plumbing_is_hidden_and_docstrings_describe() -> None:
    tool = tool_from_function(plumbing)
    assert tool.schema == {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "where to do it, over two lines."}
        },
        "required": ["path"],
        "additionalProperties": False,
    }
    assert tool.description == "Do it."


def defaults(a=3, b="x", c=None, d: Path = Path("a/b"), e: date | None = None, f=object()):  # noqa: B008
    """Defaults of many kinds."""


def test_defaults_give_types_and_only_json_ones_are_shown() -> None:
    p = {x.name: x for x in tool_from_function(defaults).parameters}
    assert p["a"].schema == {"type": "integer", "default": 3}
    assert p["b"].schema["type"] == "string"
    assert p["c"].schema == {"default": None}
    assert p["d"].default == "a/b"
    assert not p["f"].has_default
    assert not any(x.required for x in p.values())
    untyped = untyped_parameters(registry_from_functions([defaults, plumbing]))
    assert untyped == {"defaults": ["c", "f"]}


def test_an_odd_parameter_name_is_kept() -> None:
    def odd(model_config: str, _private: int = 1, schema: str = "") -> None:
        """Names that pydantic reserves."""

    assert [p.name for p in tool_from_function(odd).parameters] == [
        "model_config",
        "_private",
        "schema",
    ]


def test_a_type_without_a_schema_is_one_clear_line() -> None:
    class Opaque:
        pass

    def bad(x: Opaque) -> None:
        """Takes something that JSON cannot say."""

    bad.__annotations__["x"] = Opaque
    with pytest.raises(TooldrillError) as caught:
        tool_from_function(bad)
    assert "'bad'" in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.next_step


@pytest.mark.parametrize(
    "item", [{}, {"function": 3}, {"name": ""}, {"name": "f", "parameters": {"type": "array"}}]
)
def test_bad_openai_tools(item: dict[str, Any]) -> None:
    with pytest.raises(TooldrillError):
        Tool.from_openai(item)


def test_two_tools_of_one_name_are_refused() -> None:
    tool = Tool("f", "", {"type": "object", "properties": {}})
    with pytest.raises(TooldrillError, match="two tools"):
        Registry([tool, tool])
