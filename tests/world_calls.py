"""Hypothesis: calls that fit a world's registry, with values that occur in its state among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.tool import JsonSchema, Tool
from tooldrill.data.worlds.base import World

_NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
ODD_TEXTS = ["", " ", "\n", "\0", "é", "\ud800", "0", "9999-12-31", "2026-02-30", "x" * 400]


def calls_of(world: World, known: Sequence[Any]) -> st.SearchStrategy[list[Call]]:
    """Lists of calls that break no rule of the contract.

    Args:
        known: values from the state, so that some calls reach something.
    """
    return st.lists(st.sampled_from(world.registry.tools).flatmap(lambda t: _call(t, known)))


def _call(tool: Tool, known: Sequence[Any]) -> st.SearchStrategy[Call]:
    required = {p.name: _value(p.schema, known) for p in tool.parameters if p.required}
    optional = {p.name: _value(p.schema, known) for p in tool.parameters if not p.required}
    arguments = st.fixed_dictionaries(required, optional=optional)
    return arguments.map(lambda chosen: Call(tool.name, chosen))


def _value(schema: JsonSchema, known: Sequence[Any]) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    numbers = [v for v in known if isinstance(v, int | float) and not isinstance(v, bool)]
    texts = [*ODD_TEXTS, *(v for v in known if isinstance(v, str))]
    match schema["type"]:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.sampled_from([0, 1, *(int(n) for n in numbers)]) | st.integers()
        case "number":
            return st.sampled_from([0, 1, 0.5, *numbers]) | _NUMBERS
        case "array":
            return st.lists(_value(schema["items"], known), max_size=3)
        case _:
            return st.sampled_from(texts) | st.text(max_size=20)


def assert_answers_all(world: World, state: dict[str, Any], calls: Sequence[Call]) -> None:
    """Every call is answered, an error changes nothing, and so does opening the end state anew."""
    session = world.open(state)
    try:
        for call in calls:
            assert not check_calls([call], world.registry)
            before = session.snapshot()
            observation = session.call(call.name, call.arguments)
            assert observation.text
            assert not observation.error or session.snapshot() == before, call
    finally:
        session.close()


def run_all(world: World, state: dict[str, Any], *calls: tuple[str, dict[str, Any]]) -> Any:
    """The snapshot after the calls, none of which may fail."""
    session = world.open(state)
    for name, arguments in calls:
        observation = session.call(name, arguments)
        assert not observation.error, observation.text
    return session.snapshot()
