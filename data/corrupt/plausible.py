"""Values that a model might write for a parameter: valid ones, judged by the parameter's schema.

Used where a corruption needs a value that the right call does not have. Not a generator of random
JSON: a reader should believe the call.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from tooldrill.agent.tool import JsonSchema, Parameter, Tool

# By a word in the parameter's name or description: the first that fits is taken.
_STRINGS = {
    "encoding": "utf-8",
    "path": "notes.txt",
    "file": "notes.txt",
    "dir": ".",
    "pattern": "*.txt",
    "glob": "*.txt",
    "date": "2025-01-31",
    "email": "sam@example.org",
    "mode": "default",
    "format": "json",
    "order": "asc",
    "sort": "asc",
    "query": "status",
}
_ANY_STRINGS = ("default", "main", "all", "first", "summary", "draft")


def resolve(schema: JsonSchema, definitions: JsonSchema | None) -> JsonSchema:
    """Follows a local `$ref`; other schemas come back as they are."""
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not definitions:
        return schema
    found = definitions.get(reference.rsplit("/", 1)[-1], {})
    return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}


def branches(schema: JsonSchema, definitions: JsonSchema | None) -> Iterator[JsonSchema]:
    """The schema, or each option of its union, references followed."""
    schema = resolve(schema, definitions)
    options = [o for key in ("anyOf", "oneOf") for o in schema.get(key, ())]
    if not options:
        yield schema
    for option in options:
        yield from branches(option, definitions)


def plausible_value(tool: Tool, parameter: Parameter, rng: random.Random) -> Any:
    """A valid value, other than the default where there is a natural one.

    None also stands for "nothing plausible is valid"; callers check the whole call anyway.
    """
    candidates = list(_candidates(tool, parameter, rng))
    valid = [v for v in candidates if not tool.value_problems(parameter.name, v)]
    return valid[0] if valid else None


def _candidates(tool: Tool, parameter: Parameter, rng: random.Random) -> Iterator[Any]:
    default = parameter.default
    if isinstance(default, bool):
        yield not default
    for schema in branches(parameter.schema, tool.schema.get("$defs")):
        if "enum" in schema:
            yield rng.choice(schema["enum"])
        if "const" in schema:
            yield schema["const"]
        yield from schema.get("examples", ())
        if isinstance(default, str) and default:
            yield default
        yield from _typed(f"{parameter.name} {parameter.description}".lower(), schema, rng)
    if parameter.has_default:
        yield default


def _typed(about: str, schema: JsonSchema, rng: random.Random) -> Iterator[Any]:
    kind = schema.get("type")
    if kind == "boolean":
        yield True
    elif kind in ("integer", "number"):
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        high = schema.get("maximum", low + 20)
        yield rng.randint(int(low), max(int(low), int(high)))
        yield low
    elif kind == "array":
        items = schema.get("items")
        inner = list(_typed(about, items, rng)) if isinstance(items, dict) else []
        yield inner[:1]
        yield []
    elif kind == "object":
        yield {}
    elif kind in ("string", None):
        fitting = (text for part, text in _STRINGS.items() if part in about)
        yield next(fitting, rng.choice(_ANY_STRINGS))
        yield "2025-01-31"
