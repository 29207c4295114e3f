"""The signature line of a tool, generated from its schema at three levels.

The bundled chat templates (`templates/_signatures.jinja`) write the same `typed` line in Jinja,
because llama-server renders it without Python; a test holds the two together.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from tooldrill.agent.tool import JsonSchema, Parameter, Registry, Tool

ANY = "any"  # how a parameter of unknown type is shown


class SignatureLevel(StrEnum):
    """How much of a tool is shown."""

    NAMES = "names"
    SIGNATURE = "signature"
    TYPED = "typed"


# Formats a reader must know to write the value; the others (`path`, `int32`) say nothing new.
SHOWN_FORMATS = ("date", "date-time", "time", "duration", "email", "uri", "uuid", "ipv4", "ipv6")
_BOUNDS = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
DEEPEST = 3  # levels of objects shown field by field; below them stands `object`


def type_text(
    schema: JsonSchema | bool, depth: int = 0, definitions: JsonSchema | None = None
) -> str:
    """A short name of the JSON type.

    `string`, `string(date)`, `integer(1..10)`, `array[integer]`, `"a"|"b"`, `string|null`,
    `{street: string, zip?: string}`, `object[integer]` (any names, integer values).
    """
    if not isinstance(schema, dict):
        return ANY  # `true`: anything goes
    if "enum" in schema:
        return "|".join(_json(value) for value in schema["enum"])
    if "const" in schema:
        return _json(schema["const"])
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return "|".join(type_text(option, depth, definitions) for option in schema[union])
    kind = schema.get("type")
    if isinstance(kind, list):
        return "|".join(kind)
    if kind == "array":
        return _array_text(schema, depth, definitions)
    if kind == "object" or (kind is None and "properties" in schema):
        return _object_text(schema, depth, definitions)
    if kind is None and "$ref" in schema:
        # Only what refers to itself is still a reference: shown once, and not again inside.
        target = (definitions or {}).get(str(schema["$ref"]).rsplit("/", 1)[-1])
        if target is None or depth >= 2:
            return "object"
        return type_text(target, depth + 2, definitions)
    if kind is None:
        return ANY
    if schema.get("format") in SHOWN_FORMATS:
        return f"{kind}({schema['format']})"
    return str(kind) + _range_text(schema)


def _array_text(schema: JsonSchema, depth: int, definitions: JsonSchema | None) -> str:
    if schema.get("prefixItems"):
        items = (type_text(item, depth, definitions) for item in schema["prefixItems"])
        return f"array[{', '.join(items)}]"
    if schema.get("items") and isinstance(schema["items"], dict):
        return f"array[{type_text(schema['items'], depth, definitions)}]"
    return "array"


def _object_text(schema: JsonSchema, depth: int, definitions: JsonSchema | None) -> str:
    if schema.get("properties") and depth < DEEPEST:
        required = schema.get("required", ())
        fields = (
            f"{name}{'' if name in required else '?'}: {type_text(field, depth + 1, definitions)}"
            for name, field in schema["properties"].items()
        )
        return "{" + ", ".join(fields) + "}"
    values = schema.get("additionalProperties")
    if isinstance(values, dict) and values:
        return f"object[{type_text(values, depth, definitions)}]"
    return "object"


def _range_text(schema: JsonSchema) -> str:
    if "minimum" in schema and "maximum" in schema:
        return f"({_json(schema['minimum'])}..{_json(schema['maximum'])})"
    for keyword, sign in _BOUNDS.items():
        if keyword in schema:
            return f"({sign}{_json(schema[keyword])})"
    return ""


def signature(tool: Tool, level: SignatureLevel = SignatureLevel.SIGNATURE) -> str:
    """One line for one tool; defaults are written as JSON, as a call would write them."""
    if level is SignatureLevel.NAMES:
        return tool.name
    typed = level is SignatureLevel.TYPED
    definitions = tool.schema.get("$defs") or tool.schema.get("definitions")
    inside = ", ".join(_parameter_text(p, typed, definitions) for p in tool.parameters)
    line = f"{tool.name}({inside})"
    summary = tool.description.strip().split("\n", 1)[0].strip()
    return f"{line} - {summary}" if typed and summary else line


def signatures(registry: Registry, level: SignatureLevel = SignatureLevel.SIGNATURE) -> str:
    """The whole registry, a line each."""
    return "\n".join(signature(tool, level) for tool in registry)


def untyped_parameters(registry: Registry) -> dict[str, list[str]]:
    """Parameters of which no type is known, by tool; tools without such are left out."""
    found = {
        tool.name: [p.name for p in tool.parameters if type_text(p.schema) == ANY]
        for tool in registry
    }
    return {tool: names for tool, names in found.items() if names}


def _parameter_text(parameter: Parameter, typed: bool, definitions: JsonSchema | None) -> str:
    optional_without_default = not parameter.required and not parameter.has_default
    text = parameter.name + ("?" if optional_without_default else "")
    if typed:
        text += f": {type_text(parameter.schema, 0, definitions)}"
    if parameter.required or optional_without_default:
        return text
    return text + (" = " if typed else "=") + _json(parameter.default)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
