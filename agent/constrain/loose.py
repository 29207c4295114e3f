"""Classes of violation that a grammar leaves possible, where GBNF cannot say what a schema says."""

from __future__ import annotations

from tooldrill.agent.json_schema import JsonSchema
from tooldrill.agent.violation import UNKNOWN_ARGUMENT_CLASSES, ViolationClass

Loose = frozenset[ViolationClass]

TIGHT: Loose = frozenset()
VALUES: Loose = frozenset({ViolationClass.INVALID_VALUE})
EVERYTHING: Loose = UNKNOWN_ARGUMENT_CLASSES | {
    ViolationClass.MISSING_ARGUMENT,
    ViolationClass.WRONG_TYPE,
    ViolationClass.INVALID_VALUE,
}
"""Every class that a call's arguments can have."""

CONDITIONS = ("not", "if", "dependentRequired", "dependentSchemas", "$dynamicRef")
"""Keywords by which one part of a value decides over another."""

_NOT_SAID = {
    "string": ("pattern", "format"),
    "integer": ("multipleOf",),
    "number": ("multipleOf", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "array": ("uniqueItems", "contains"),
    "object": ("minProperties", "maxProperties", "propertyNames"),
}


def looseness(kind: str, schema: JsonSchema) -> Loose:
    """What values of the JSON type may have, by keywords that GBNF says nothing of."""
    if kind == "object" and schema.get("patternProperties"):
        return EVERYTHING
    unsaid = {key for key in _NOT_SAID.get(kind, ()) if key in schema}
    if schema.get("uniqueItems") is False:
        unsaid.discard("uniqueItems")
    return VALUES if unsaid else TIGHT
