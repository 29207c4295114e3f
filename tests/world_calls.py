"""Hypothesis: calls that fit a world's registry, bounds and patterns included.

Among their values are some that occur in the world's state, and the oddest texts and numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.agent.tool import JsonSchema, Tool
from tooldrill.data.worlds.base import World

ODD_TEXTS = ["", " ", "\n", "\0", "é", "\ud800", "0", "9999-12-31", "2026-02-30", "x" * 400]
ODD_INTEGERS = [0, 1, -1, 10**400, -(2**70)]
ODD_NUMBERS = [*ODD_INTEGERS, 0.1, 0.5, 1e308, 5e-324]
_FORMATS = {"date": st.dates().map(str), "time": st.times().map(str)}


def calls_of(world: World, known: Sequence[Any]) -> st.SearchStrategy[list[Call]]:
    """Lists of calls that break no rule of the contract.

    Args:
        known: values from the state, so that some calls reach something.
    """
    one = st.sampled_from(world.registry.tools).flatmap(lambda tool: _call(tool, known))
    return st.lists(one, max_size=6)


def _call(tool: Tool, known: Sequence[Any]) -> st.SearchStrategy[Call]:
    required = {p.name: _value(p.schema, known) for p in tool.parameters if p.required}
    optional = {p.name: _value(p.schema, known) for p in tool.parameters if not p.required}
    arguments = st.fixed_dictionaries(required, optional=optional)
    return arguments.map(lambda chosen: Call(tool.name, chosen))


def _value(schema: JsonSchema, known: Sequence[Any]) -> st.SearchStrategy[Any]:
    if "anyOf" in schema:
        return st.one_of([_value(option, known) for option in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    low, high = schema.get("minimum"), schema.get("maximum")
    numbers = [v for v in known if isinstance(v, int | float) and not isinstance(v, bool)]
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    match schema["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            odd = _between([*ODD_INTEGERS, *(int(n) for n in numbers)], low, high)
            return _or_odd(st.integers(low, high), odd)
        case "number":
            plain = st.floats(low, high, allow_nan=False, allow_infinity=False)
            # A whole number is sent as an integer as often as not.
            whole = st.integers(*(None if bound is None else round(bound) for bound in (low, high)))
            return _or_odd(plain | whole, _between([*ODD_NUMBERS, *numbers], low, high))
        case "array":
            fewest, most = schema.get("minItems", 0), schema.get("maxItems", 4)
            return st.lists(_value(schema["items"], known), min_size=fewest, max_size=most)
        case "object":
            return st.fixed_dictionaries(
                {name: _value(inner, known) for name, inner in schema["properties"].items()}
            )
        case _:
            texts = [*ODD_TEXTS, *(v for v in known if isinstance(v, str))]
            return st.sampled_from(texts) | st.text(max_size=20)


def _between(values: list[Any], low: float | None, high: float | None) -> list[Any]:
    return [v for v in values if (low is None or v >= low) and (high is None or v <= high)]


def _or_odd(plain: st.SearchStrategy[Any], odd: list[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(odd) | plain if odd else plain


def assert_answers_all(world: World, state: dict[str, Any], calls: Sequence[Call]) -> None:
    """Every call keeps the contract and is answered; an error changes nothing, none `state`."""
    given = json.dumps(state)
    session = world.open(state)
    try:
        for call in calls:
            assert not check_calls([call], world.registry)
            before = session.snapshot()
            observation = session.call(call.name, call.arguments)
            assert observation.text
            assert observation.error is observation.text.startswith(ERROR_PREFIX)
            assert not observation.error or session.snapshot() == before, call
    finally:
        session.close()
    assert json.dumps(state) == given


def run_all(world: World, state: dict[str, Any], *calls: tuple[str, dict[str, Any]]) -> Any:
    """The snapshot after the calls, none of which may fail."""
    session = world.open(state)
    for name, arguments in calls:
        observation = session.call(name, arguments)
        assert not observation.error, observation.text
    return session.snapshot()
