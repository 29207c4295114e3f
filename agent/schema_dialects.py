"""Schemas as people and programs write them, brought to one dialect: JSON Schema 2020-12.

Draft 4 to 2019-09, OpenAPI's `nullable`, nulls for absent keywords, and parameters listed without a
schema around them. What a tool accepts does not change; what reads it afterwards knows one dialect.
"""

from __future__ import annotations

from typing import Any

from tooldrill.agent.json_schema import JsonSchema, map_subschemas

_KEYWORDS = frozenset(
    {"type", "properties", "required", "additionalProperties", "patternProperties", "title"}
    | {"$schema", "$ref", "$defs", "definitions", "allOf", "anyOf", "oneOf", "description", "if"}
    | {"dependencies", "dependentRequired", "minProperties", "maxProperties", "not", "$id", "id"}
)
_OBJECTS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS = ("required", "enum", "allOf", "anyOf", "oneOf", "prefixItems")


def parameters_schema(given: Any) -> JsonSchema:
    """The schema of a tool's arguments, of type object.

    Args:
        given: what stands as its parameters; None for a tool without any.

    Raises:
        ValueError: when that is no schema of an object, with one line of reason.
    """
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise ValueError("its parameters are not a JSON Schema of type object")
    if given and not _KEYWORDS & given.keys() and all(isinstance(v, dict) for v in given.values()):
        given = {"properties": given, "required": _not_optional(given)}
    schema = modern(given)
    if schema.get("type") in (None, ["object"], "dict"):
        schema["type"] = "object"
    if schema["type"] != "object":
        raise ValueError("its parameters are not a JSON Schema of type object")
    return schema


def modern(schema: JsonSchema) -> JsonSchema:
    """The schema in the 2020-12 dialect, as far as it is written in an older one.

    Raises:
        ValueError: for a keyword whose value cannot be read at all.
    """
    made = {key: value for key, value in schema.items() if value is not None or key in _VALUES}
    for key in _OBJECTS:
        if key in made and not isinstance(made[key], dict):
            raise ValueError(f'"{key}" is not an object')
    for key in _LISTS:
        if key in made and not isinstance(made[key], list) and not isinstance(made[key], bool):
            raise ValueError(f'"{key}" is not a list')
    made.pop("$schema", None)
    _required(made)
    _bounds(made)
    _tuples(made)
    _dependencies(made)
    _nullable(made)
    return map_subschemas(made, modern)


# Keywords for which null is a value.
_VALUES = ("default", "const")


def _not_optional(properties: JsonSchema) -> list[str]:
    """Of parameters listed without a schema: those that are not said to be optional."""
    return [
        name
        for name, described in properties.items()
        if "default" not in described and "optional" not in str(described.get("type", ""))
    ]


def _required(schema: JsonSchema) -> None:
    # Draft 3 marks each property; that is no list and says nothing about this object.
    if isinstance(schema.get("required"), bool):
        del schema["required"]


def _bounds(schema: JsonSchema) -> None:
    # Draft 4: `exclusiveMinimum: true` beside `minimum`.
    for exclusive, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and plain in schema:
            schema[exclusive] = schema.pop(plain)


def _tuples(schema: JsonSchema) -> None:
    # Before 2020-12 a list of `items` was a tuple, `additionalItems` what may follow.
    if isinstance(schema.get("items"), list):
        schema["prefixItems"] = schema.pop("items")
        if "additionalItems" in schema:
            schema["items"] = schema.pop("additionalItems")


def _dependencies(schema: JsonSchema) -> None:
    # Before 2019-09 one keyword held both kinds.
    if isinstance(schema.get("dependencies"), dict):
        for name, needs in schema.pop("dependencies").items():
            key = "dependentRequired" if isinstance(needs, list) else "dependentSchemas"
            schema[key] = {**schema.get(key, {}), name: needs}


def _nullable(schema: JsonSchema) -> None:
    # OpenAPI 3.0.
    if schema.pop("nullable", None) is not True:
        return
    kind = schema.get("type")
    if isinstance(kind, str):
        schema["type"] = [kind, "null"]
    elif isinstance(kind, list):
        schema["type"] = [*kind, *({"null"} - set(kind))]
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    for union in ("anyOf", "oneOf"):
        if union in schema and kind is None:
            schema[union] = [*schema[union], {"type": "null"}]
