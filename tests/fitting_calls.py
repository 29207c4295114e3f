"""Hypothesis: calls that fit a registry to the bounds, with the oddest numbers in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tooldrill.agent.tool import JsonSchema, Registry

_NUMBERS = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -1, 1e308, 5e-324, 10**400, -(10**30), 0.1]),
)


def value(schema: JsonSchema, known: list[str]) -> st.SearchStrategy[Any]:
    """Values that the schema accepts; texts are now and then one of `known`."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "boolean":
            return st.booleans()
        case "integer":
            bounds = st.integers(schema.get("minimum"), schema.get("maximum"))
            return bounds if "minimum" in schema else bounds | st.sampled_from([10**400, -(2**70)])
        case "number":
            if "minimum" in schema:
                return st.floats(schema["minimum"], schema["maximum"])
            return _NUMBERS
        case "array":
            fewest, most = schema.get("minItems", 0), schema.get("maxItems", 5)
            return st.lists(value(schema["items"], known), min_size=fewest, max_size=most)
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    return st.one_of(st.sampled_from([*known, "", " ", "\0", "\udc80", "é" * 300]), st.text())


def calls(registry: Registry, known: list[str]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """A call of any tool, with its required arguments and some of the options."""

    def of(name: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
        parameters = registry[name].parameters
        needed = {p.name: value(p.schema, known) for p in parameters if p.required}
        options = {p.name: value(p.schema, known) for p in parameters if not p.required}
        return st.tuples(st.just(name), st.fixed_dictionaries(needed, optional=options))

    return st.sampled_from(registry.names).flatmap(of)
