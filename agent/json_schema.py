"""JSON Schema as a value: references resolved, generated titles dropped.

Knows where schemas stand inside a schema, so that a parameter that happens to be called `title` or
`$ref` is not mistaken for a keyword. Validating values is the work of `values`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

JsonSchema = dict[str, Any]

# Where sub-schemas stand (JSON Schema 2020-12, core and applicator vocabularies, and draft 7).
_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = (
    "items",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "propertyNames",
    "contains",
    "not",
    "if",
    "then",
    "else",
)
_DEFINITIONS = ("$defs", "definitions")

_LONGEST_CHAIN = 16  # references from one to the next before anything is said

# A schema that grows beyond this many nodes keeps its references: sharing can be exponential.
_LARGEST = 20_000


def map_subschemas(schema: JsonSchema, change: Callable[[JsonSchema], Any]) -> JsonSchema:
    """A copy of the schema with every direct sub-schema changed."""
    made: JsonSchema = {}
    for key, value in schema.items():
        if key in _MAPS and isinstance(value, dict):
            made[key] = {k: change(v) if isinstance(v, dict) else v for k, v in value.items()}
        elif (key in _LISTS or key == "items") and isinstance(value, list):
            made[key] = [change(v) if isinstance(v, dict) else v for v in value]
        elif key in _SINGLE and isinstance(value, dict):
            made[key] = change(value)
        else:
            made[key] = value
    return made


def without_titles(schema: JsonSchema) -> JsonSchema:
    """Without pydantic's generated titles, which only cost the model tokens."""
    made = map_subschemas(schema, without_titles)
    if isinstance(made.get("title"), str):
        del made["title"]
    return made


def inline_references(schema: JsonSchema) -> JsonSchema:
    """The schema with every local `$ref` replaced by what it points at.

    References that lead back to themselves stay, with their definitions; so do all of them when
    the result would be very large, and those that point nowhere.
    """
    try:
        made = _Inliner(schema).inlined()
    except (_TooLargeError, RecursionError):
        return schema
    return made


def object_properties(schema: JsonSchema) -> dict[str, JsonSchema]:
    """The properties an object schema names, its own first, then those of its alternatives.

    A name that is required but not described has the schema that allows everything.
    """
    found: dict[str, JsonSchema] = {
        name: described if isinstance(described, dict) else {}
        for name, described in schema.get("properties", {}).items()
    }
    own = set(found)
    for part in _parts(schema):
        for name, described in object_properties(part).items():
            if name not in own:
                found[name] = _either(found.get(name), described)
    for name in schema.get("required", ()):
        found.setdefault(name, {})
    return found


def required_properties(schema: JsonSchema) -> frozenset[str]:
    """The names without which no object is valid."""
    names = set(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        if isinstance(part, dict):
            names |= required_properties(part)
    for key in ("anyOf", "oneOf"):
        branches = [required_properties(b) for b in schema.get(key, ()) if isinstance(b, dict)]
        names |= frozenset.intersection(*branches) if branches else set()
    return frozenset(names)


def _either(one: JsonSchema | None, other: JsonSchema) -> JsonSchema:
    """What either schema allows, for alternatives that describe the same property."""
    if one is None or one == other:
        return other
    options = [*one.get("anyOf", [one]), other]
    kept = [option for i, option in enumerate(options) if option not in options[:i]]
    return kept[0] if len(kept) == 1 else {"anyOf": kept}


def closed(schema: JsonSchema) -> JsonSchema:
    """The schema of a call's arguments, refusing what it does not name unless it says otherwise.

    In the 2020-12 dialect (see `schema_dialects`).
    """
    if {"additionalProperties", "unevaluatedProperties"} & schema.keys():
        return schema
    named = dict.fromkeys(schema.get("required", ()), True)
    keyword = "unevaluatedProperties" if any(_parts(schema)) else "additionalProperties"
    return {**schema, "properties": named | schema.get("properties", {}), keyword: False}


def at(schema: JsonSchema, where: Iterable[str | int]) -> JsonSchema:
    """The sub-schema at a path of keywords, names and indices; empty when there is none."""
    found: Any = schema
    for part in where:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            return {}
    return found if isinstance(found, dict) else {}


def _parts(schema: JsonSchema) -> Iterator[JsonSchema]:
    """Sub-schemas that speak of the same object."""
    for key in ("allOf", "anyOf", "oneOf"):
        yield from (part for part in schema.get(key, ()) if isinstance(part, dict))
    for key in ("if", "then", "else"):
        if isinstance(schema.get(key), dict):
            yield schema[key]


class _TooLargeError(Exception):
    """Inlining would blow the schema up."""


class _Inliner:
    def __init__(self, root: JsonSchema) -> None:
        self._root = root
        self._kept: set[str] = set()
        self._nodes = 0
        self._reached: dict[str, frozenset[str]] = {}

    def inlined(self) -> JsonSchema:
        body = self._opened({k: v for k, v in self._root.items() if k not in _DEFINITIONS})
        made = self._walk(body)
        # What refers to itself is still looked up where it was.
        kept: dict[str, JsonSchema] = {}
        while waiting := self._kept - kept.keys():
            for reference in sorted(waiting):
                kept[reference] = self._walk(self._target(reference) or {})
        for key in _DEFINITIONS:
            start = f"#/{key}/"
            held = {r.removeprefix(start): v for r, v in kept.items() if r.startswith(start)}
            made |= {key: held} if held else {}
        return made

    def _opened(self, body: JsonSchema) -> JsonSchema:
        """A root that only refers to something, as what it refers to: it must show its fields."""
        for _ in range(_LONGEST_CHAIN):
            target = self._target(body["$ref"]) if isinstance(body.get("$ref"), str) else None
            if target is None:
                break
            body = {**target, **{k: v for k, v in body.items() if k != "$ref"}}
        return body

    def _walk(self, schema: JsonSchema) -> JsonSchema:
        self._nodes += 1
        if self._nodes > _LARGEST:
            raise _TooLargeError
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return map_subschemas(schema, self._walk)
        target = self._target(reference)
        # Half of a recursive type inlined would be inlined further at every reading.
        if target is None or reference in self._references(reference):
            self._kept.add(reference)
            return schema
        found = self._walk(target)
        beside = {k: v for k, v in schema.items() if k != "$ref"}
        return {**found, **self._walk(beside)} if beside else found

    def _references(self, reference: str) -> frozenset[str]:
        """All references that following this one leads to."""
        if reference not in self._reached:
            found: set[str] = set()
            waiting = [reference]
            while waiting:
                direct = set(_direct_references(self._target(waiting.pop()) or {}))
                waiting += direct - found
                found |= direct
            self._reached[reference] = frozenset(found)
        return self._reached[reference]

    def _target(self, reference: str) -> JsonSchema | None:
        """What a JSON pointer (RFC 6901) of this document points at."""
        if not reference.startswith("#/"):
            return None
        parts = reference[2:].split("/")
        target = at(self._root, (p.replace("~1", "/").replace("~0", "~") for p in parts))
        return target or None


def _direct_references(schema: JsonSchema) -> Iterator[str]:
    if isinstance(schema.get("$ref"), str):
        yield schema["$ref"]
    inner: list[JsonSchema] = []

    def note(part: JsonSchema) -> JsonSchema:
        inner.append(part)
        return part

    map_subschemas(schema, note)
    for part in inner:
        yield from _direct_references(part)
