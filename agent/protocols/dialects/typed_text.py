"""Values written as plain text, typed by the tool's schema: what tags carry (`tagged`).

`12` is a string for a parameter of type string and a number for one of type integer. What the
schema does not settle is JSON where it can be read as JSON, as llama.cpp and vLLM have it.
"""

from __future__ import annotations

import json
from typing import Any

from tooldrill.agent.json_schema import JsonSchema, object_properties
from tooldrill.agent.protocols.json_text import Refused, read_value
from tooldrill.agent.tool import Registry

# Templates that write values with Jinja's `string` filter write Python's words.
_PYTHON_WORDS = {"True": True, "False": False, "None": None}
_DEEPEST = 8  # alternatives inside alternatives


def schema_of(registry: Registry | None, tool: str, parameter: str) -> JsonSchema | None:
    """The parameter's schema; None when there is no such tool or parameter."""
    found = registry.get(tool) if registry is not None else None
    return object_properties(found.schema).get(parameter) if found is not None else None


def read_text(text: str, schema: JsonSchema | None) -> Any:
    """The value that a text stands for.

    A JSON string in quotes is one only where the schema allows no string: everywhere else strings
    are written as they are, quotes and all.
    """
    types = json_types(schema)
    if types == frozenset({"string"}):
        return text
    plain = text.strip()
    value = _PYTHON_WORDS[plain] if plain in _PYTHON_WORDS else read_value(plain)
    if isinstance(value, Refused):
        return text
    stays_text = types is None or "string" in types
    if stays_text and (isinstance(value, str) or (types and not _names(value) & types)):
        return text
    return value


def write_text(value: Any, schema: JsonSchema | None) -> str | None:
    """A string as it must be quoted to be read as one; None when it need not, or cannot be."""
    if not isinstance(value, str) or read_text(value, schema) == value:
        return None
    quoted = json.dumps(value, ensure_ascii=False)
    return quoted if read_text(quoted, schema) == value else None


def json_types(schema: JsonSchema | None, depth: int = 0) -> frozenset[str] | None:
    """The JSON types that a schema allows by its keywords; None when it says nothing of them."""
    if not schema or depth > _DEEPEST:
        return None
    if "type" in schema:
        named = schema["type"]
        return frozenset([named] if isinstance(named, str) else named)
    if "const" in schema:
        return _names(schema["const"])
    if "enum" in schema:
        return frozenset(name for value in schema["enum"] for name in _names(value))
    for key in ("anyOf", "oneOf"):
        if key in schema:
            branches = [json_types(branch, depth + 1) for branch in schema[key]]
            known = [types for types in branches if types is not None]
            if len(known) < len(branches):
                return None
            return frozenset(name for types in known for name in types)
    for branch in schema.get("allOf", ()):
        types = json_types(branch, depth + 1)
        if types is not None:
            return types
    return None


def _names(value: Any) -> frozenset[str]:
    """The types of a value; a whole number is an integer and a number."""
    match value:
        case None:
            return frozenset({"null"})
        case bool():
            return frozenset({"boolean"})
        case int():
            return frozenset({"integer", "number"})
        case float():
            return frozenset({"integer", "number"} if value.is_integer() else {"number"})
        case str():
            return frozenset({"string"})
        case list():
            return frozenset({"array"})
    return frozenset({"object"})
