"""The JSON types, and which of them a schema or a value speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tooldrill.agent.json_schema import JsonSchema

TYPES = ("object", "array", "string", "number", "boolean", "null")
"""All of them; `integer` is a part of `number`."""


def implied_types(schema: JsonSchema) -> Sequence[str]:
    """What a schema that names no type speaks of."""
    for kind, keys in (
        ("object", ("properties", "required", "additionalProperties", "patternProperties")),
        ("array", ("items", "prefixItems", "minItems", "maxItems")),
        ("string", ("minLength", "maxLength", "pattern", "format")),
        ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
    ):
        if any(key in schema for key in keys):
            return [kind]
    return TYPES


def is_of(value: Any, types: Sequence[str]) -> bool:
    """Whether the value is of one of the JSON types; a whole number is a number."""
    match value:
        case None:
            return "null" in types
        case bool():
            return "boolean" in types
        case int() | float():
            return "number" in types or ("integer" in types and float(value).is_integer())
        case str():
            return "string" in types
        case list():
            return "array" in types
    return "object" in types
