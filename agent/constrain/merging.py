"""Alternatives and conjunctions of JSON Schema, as a list of schemas without either.

`allOf` is merged into what stands beside it, `anyOf` and `oneOf` are multiplied out. What merging
cannot keep is said, as the classes of violation that are then not ruled out.
"""

from __future__ import annotations

import json
from typing import Any

from tooldrill.agent.constrain.loose import CONDITIONS, EVERYTHING, TIGHT, VALUES, Loose
from tooldrill.agent.json_schema import JsonSchema
from tooldrill.agent.protocols.dialects.typed_text import json_types

_SILENT = frozenset(
    {"title", "description", "default", "examples", "example", "deprecated", "discriminator"}
    | {"readOnly", "writeOnly", "contentEncoding", "contentMediaType", "definitions"}
    | {"$comment", "$schema", "$id", "$anchor", "$defs"}
)
_LARGER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_SMALLER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_MOST = 64  # alternatives multiplied out


def plain(schema: JsonSchema) -> JsonSchema:
    """The schema without what only describes."""
    return {key: value for key, value in schema.items() if key not in _SILENT}


def branches(schema: JsonSchema) -> tuple[list[JsonSchema], Loose]:
    """Schemas without `allOf`, `anyOf` and `oneOf` that together allow what this one does.

    Returns:
        The schemas, and the classes of violation that values of theirs may have.
    """
    said = plain(schema)
    loose = EVERYTHING if any(key in said for key in CONDITIONS) else TIGHT
    unions = [said.pop(key) for key in ("anyOf", "oneOf") if key in said]
    if "oneOf" in schema and not _apart(schema["oneOf"]):
        loose |= VALUES
    parts = [[part] for part in said.pop("allOf", [])] + unions
    found = [said]
    for options in parts:
        inner = [branches(option) for option in options if isinstance(option, dict)]
        loose = loose.union(*(more for _, more in inner))
        if any(option is True for option in options):
            inner.append(([{}], TIGHT))
        pairs = [(one, other) for one in found for many, _ in inner for other in many]
        if len(pairs) > _MOST:
            loose |= EVERYTHING
            continue
        merged = [_merged(one, other) for one, other in pairs]
        found = [one for one, _ in merged if one is not None]
        loose = loose.union(*(more for _, more in merged))
    return found, loose


def _merged(one: JsonSchema, other: JsonSchema) -> tuple[JsonSchema | None, Loose]:
    """What both schemas allow; None when that is nothing."""
    if not one or not other:
        return one or other, TIGHT
    if "$ref" in one or "$ref" in other:
        return (one if "$ref" in one else other), EVERYTHING
    apart = _speaks_of_what_is_named(one, other) or _speaks_of_what_is_named(other, one)
    loose = EVERYTHING if apart else TIGHT
    made = {**one}
    for key, value in other.items():
        if key not in made or made[key] == value:
            made[key] = value
            continue
        mine = made[key]
        match key:
            case "type":
                made[key] = _common_types(mine, value)
                if not made[key]:
                    return None, TIGHT
            case "properties":
                both = {n: {"allOf": [mine[n], value[n]]} for n in mine.keys() & value.keys()}
                made[key] = {**mine, **value, **both}
            case "required":
                made[key] = list(dict.fromkeys([*mine, *value]))
            case "items":
                made[key] = {"allOf": [mine, value]}
            case "enum":
                # Not by Python's `==`, to which true and 1 are the same.
                theirs = [json.dumps(option, sort_keys=True) for option in value]
                made[key] = [o for o in mine if json.dumps(o, sort_keys=True) in theirs]
            case "additionalProperties" | "unevaluatedProperties" if value is False:
                made[key] = False
            case _ if key in _LARGER:
                made[key] = max(mine, value)
            case _ if key in _SMALLER:
                made[key] = min(mine, value)
            case _:
                loose |= EVERYTHING
    return made, loose


def _speaks_of_what_is_named(one: JsonSchema, other: JsonSchema) -> bool:
    """Whether the first says of its other properties, or items, what the second knows by name."""
    names, more = (schema.get("properties", {}).keys() for schema in (one, other))
    if one.get("additionalProperties", True) is not True and not more <= names:
        return True
    places, others = (len(schema.get("prefixItems", ())) for schema in (one, other))
    return "items" in one and others > places


def _common_types(one: Any, other: Any) -> list[str]:
    mine, theirs = ([kinds] if isinstance(kinds, str) else list(kinds) for kinds in (one, other))
    if "number" in mine and "integer" in theirs:
        mine.append("integer")
    if "number" in theirs and "integer" in mine:
        theirs.append("integer")
    common = [kind for kind in mine if kind in theirs]
    return [kind for kind in common if not (kind == "integer" and "number" in common)]


def _apart(options: list[Any]) -> bool:
    """Whether no value can fit two of the schemas."""
    known = [option for option in options if isinstance(option, dict)]
    pairs = [(one, two) for n, one in enumerate(known) for two in known[n + 1 :]]
    return len(known) == len(options) and all(_pair_apart(one, two) for one, two in pairs)


def _pair_apart(one: JsonSchema, other: JsonSchema) -> bool:
    kinds, more = (_with_integers(json_types(schema)) for schema in (one, other))
    if kinds and more and not kinds & more:
        return True
    tags, others = _tags(one), _tags(other)
    return any(not tags[name] & others[name] for name in tags.keys() & others.keys())


def _with_integers(kinds: frozenset[str] | None) -> frozenset[str]:
    return (kinds or frozenset()) | ({"integer"} if "number" in (kinds or ()) else frozenset())


def _tags(schema: JsonSchema) -> dict[str, set[str]]:
    """What each required property that only takes listed strings may be."""
    found: dict[str, set[str]] = {}
    for name in schema.get("required", ()):
        described = schema.get("properties", {}).get(name)
        if not isinstance(described, dict):
            continue
        options = [described["const"]] if "const" in described else described.get("enum", [])
        if options and all(isinstance(option, str) for option in options):
            found[name] = set(options)
    return found
