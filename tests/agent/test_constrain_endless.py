"""Schemas that refer to themselves: those that some value fits, and those that would never end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from grammar_texts import fits

from tooldrill.agent.constrain.grammar import reply_grammar
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.dialects.catalog import DIALECTS
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.protocols.react_json import ReactJson
from tooldrill.agent.tool import Registry, Tool

REACT = ReactJson()
PROTOCOLS: list[CallProtocol] = [
    REACT,
    # In tagged dialects any text stands for a value of which no type is known.
    *(Native(DIALECTS[name]) for name in ("hermes", "bare_json", "pythonic")),
]
NODE, OTHER = {"$ref": "#/$defs/node"}, {"$ref": "#/$defs/other"}


def holding(inner: Any, **more: Any) -> dict[str, Any]:
    """An object that must have `of`."""
    named = {"type": "object", "properties": {"of": inner}, "required": ["of"]}
    return {**named, "additionalProperties": False, **more}


def tool(node: dict[str, Any], other: Any = True, *, required: bool = True) -> Tool:
    schema = {
        "type": "object",
        "properties": {"x": NODE, "y": {"type": "integer"}},
        "required": ["x"] if required else [],
        "additionalProperties": False,
        "$defs": {"node": node, "other": other},
    }
    return Tool("do_it", "", schema)


ENDLESS: dict[str, tuple[dict[str, Any], Any]] = {
    "an object in itself": (holding(NODE), True),
    "nothing but itself": (NODE, True),
    "one of nothing but itself": ({"anyOf": [NODE, holding(NODE)]}, True),
    "a list of at least one": ({"type": "array", "minItems": 1, "items": NODE}, True),
    "a first item": ({"type": "array", "minItems": 1, "prefixItems": [NODE]}, True),
    "by way of another": (holding(OTHER), holding(NODE)),
    "the other in itself": (holding(OTHER), holding(OTHER)),
    "one way each, both without an end": (
        {"anyOf": [holding(NODE), holding(OTHER)]},
        holding(NODE),
    ),
}
ENDING: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "or null": ({"anyOf": [holding(NODE), {"type": "null"}]}, True, {"of": {"of": None}}),
    "a list that may be empty": ({"type": "array", "items": NODE}, True, [[], [[]]]),
    "one that may be left out": (holding(NODE, required=[]), True, {"of": {"of": {}}}),
    "by way of another": (
        holding(OTHER),
        {"anyOf": [holding(NODE), {"type": "boolean"}]},
        {"of": {"of": {"of": True}}},
    ),
    # The other is looked at first while the node is under way, and then has an end all the same.
    "each by the other": (
        {"anyOf": [OTHER, {"type": "integer"}]}, holding(NODE), {"of": {"of": 5}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: getattr(p, "dialect", p).name)
@pytest.mark.parametrize("how", ENDLESS)
def test_a_required_value_without_an_end_is_told(how: str, protocol: CallProtocol) -> None:
    node, other = ENDLESS[how]
    with pytest.raises(TooldrillError, match=r"tool 'do_it': no value fits its schema at \S+x"):
        reply_grammar(Registry([tool(node, other)]), protocol, "full")


@pytest.mark.parametrize("how", ENDLESS)
def test_what_need_not_be_given_is_left_out(how: str) -> None:
    made = reply_grammar(Registry([tool(*ENDLESS[how], required=False)]), REACT, "full")
    assert made is not None
    assert fits(made, react({"y": 1}))
    assert fits(made, react({}))
    assert "\\x22x\\x22" not in made.text


@pytest.mark.parametrize("how", ENDING)
def test_what_has_an_end_can_be_given(how: str) -> None:
    node, other, value = ENDING[how]
    made = reply_grammar(Registry([tool(node, other)]), REACT, "full")
    assert made is not None
    assert fits(made, react({"x": value}))
    assert not fits(made, react({"x": "text"}))


def test_the_whole_schema_in_itself() -> None:
    root = {"type": "object", "properties": {"x": {"$ref": "#"}}, "additionalProperties": False}
    with pytest.raises(TooldrillError, match="no value fits"):
        reply_grammar(Registry([Tool("do_it", "", {**root, "required": ["x"]})]), REACT, "full")
    made = reply_grammar(Registry([Tool("do_it", "", root)]), REACT, "full")
    assert made is not None
    assert fits(made, react({"x": {"x": {}}}))


def test_a_long_chain_of_references_takes_no_time() -> None:
    """Each is looked at once, not once for every way that leads to it."""
    back = holding({"$ref": "#/$defs/n0"})
    chain: dict[str, Any] = {
        f"n{i}": {"anyOf": [*[{"$ref": f"#/$defs/n{i + 1}"}] * 2, back]} for i in range(40)
    }
    chain["n40"] = {"type": "null"}
    schema = holding({"$ref": "#/$defs/n0"}, **{"$defs": chain})
    made = reply_grammar(Registry([Tool("do_it", "", schema)]), REACT, "full")
    assert made is not None
    assert fits(made, react({"of": None}))


def react(arguments: dict[str, Any]) -> str:
    return json.dumps({"action": "do_it", "args": arguments})
