"""Schemas of parameters that are hard to say in a grammar, gathered in tools of a few each."""

from __future__ import annotations

from typing import Any

from tooldrill.agent.tool import Tool

_NODE = {
    "type": "object",
    "properties": {"next": {"$ref": "#/$defs/node"}, "value": {"type": "integer"}},
    "additionalProperties": False,
}
_DEFINITIONS = {"node": _NODE, "a b/c": {"$anchor": "number", "type": "integer"}}


def _tagged(kind: str, **properties: Any) -> dict[str, Any]:
    made = {"type": "object", "properties": {"kind": {"const": kind}, **properties}}
    return made | {"required": ["kind", *properties], "additionalProperties": False}


PROPERTIES: dict[str, dict[str, Any]] = {
    "numbers": {
        "positive": {"type": "number", "exclusiveMinimum": 0},
        "negative": {"type": "number", "maximum": 0},
        "unsigned": {"type": "number", "minimum": 0},
        "bounded": {"type": "integer", "minimum": -3, "maximum": 12},
        "threes": {"type": "integer", "multipleOf": 3},
    },
    "choices": {
        "word": {"enum": ["it's", 'say "hi"', "a\nb", "é", "日本", "\\", "", " x ", "<tool_call>"]},
        "mixed": {"enum": [1, 1.5, True, None, "1", "true", "null", [1, "a"], {"k": "v"}, "</x>"]},
        "fixed": {"const": "</parameter>"},
    },
    "references": {
        "tree": {"$ref": "#/$defs/node"},
        "itself": {"$ref": "#"},
        "anchor": {"$ref": "#number"},
        "escaped": {"$ref": "#/$defs/a%20b~1c"},
    },
    "objects": {
        "open": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "ab": {"type": "string"}},
            "additionalProperties": {"type": "boolean"},
        },
        "free": {"type": "object"},
        "empty": {"type": "object", "additionalProperties": False},
        "patterns": {"type": "object", "patternProperties": {"^x": {"type": "integer"}}},
        "some": {"type": "object", "minProperties": 1, "propertyNames": {"maxLength": 2}},
    },
    "lists": {
        "nested": {
            "type": "array",
            "items": {"anyOf": [{"type": "integer"}, {"items": {"type": "string"}}]},
            "minItems": 1,
            "maxItems": 3,
        },
        "places": {"prefixItems": [{"type": "integer"}, {"enum": ["x"]}], "items": False},
        "set": {"type": "array", "uniqueItems": True},
        "rest": {"prefixItems": [{"type": "integer"}], "unevaluatedItems": False},
        "holding": {"type": "array", "contains": {"type": "integer"}},
    },
    "unions": {
        "one": {"oneOf": [_tagged("a", size={"type": "integer"}), _tagged("b")]},
        "both": {"allOf": [{"type": "integer"}, {"minimum": 5}]},
        "overlapping": {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 3}]},
        "object": {
            "allOf": [
                {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                {"properties": {"b": {}}, "additionalProperties": {"type": "integer"}},
            ]
        },
        "list": {"allOf": [{"prefixItems": [{"type": "integer"}]}, {"items": {"type": "string"}}]},
    },
    "types": {
        "anything": {},
        "nothing": {"type": "null"},
        "text": {"type": ["string", "null"]},
        "few": {"type": ["integer", "boolean", "null"]},
        "many": {"type": ["string", "integer", "boolean"]},
        "parts": {"type": ["array", "string"]},
    },
    "texts": {
        "short": {"type": "string", "minLength": 1, "maxLength": 3},
        "long": {"type": "string", "minLength": 900},
        "day": {"type": "string", "format": "date"},
        "pattern": {"type": "string", "pattern": "^a+$"},
        "other": {"not": {"type": "string"}},
    },
    "never": {"false": False, "none": {"enum": []}, "known": {"type": "boolean"}},
    "nothing": {},
}

WHOLE: dict[str, dict[str, Any]] = {
    "plain": {},
    "some": {"minProperties": 1},
    "together": {"dependentRequired": {"known": ["word"], "bounded": ["threes"]}},
    "open": {"additionalProperties": True},
    "typed": {"additionalProperties": {"type": "integer"}},
    "unions": {"anyOf": [{"properties": {"z": {"type": "integer"}}, "required": ["z"]}, {}]},
}
"""What the schema of all arguments may say beside its properties."""


def hard_tool(name: str, whole: str, required: list[str]) -> Tool:
    """The tool with those properties."""
    schema = {"type": "object", "properties": PROPERTIES[name], "required": required}
    return Tool("do_it", "", {**schema, "$defs": _DEFINITIONS, **WHOLE[whole]})
