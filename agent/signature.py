"""The signature line of a tool, generated from its schema at three levels.

The chat template `templates/tooldrill.jinja` writes the same `typed` line in Jinja, because
llama-server renders it without Python; a test holds the two together.
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


def type_text(schema: JsonSchema) -> str:
    """A short name of the JSON type: `string`, `array[integer]`, `"a"|"b"`, `string|null`."""
    if "enum" in schema:
        return "|".join(_json(value) for value in schema["enum"])
    if "const" in schema:
        return _json(schema["const"])
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return "|".join(type_text(option) for option in schema[union])
    kind = schema.get("type")
    if isinstance(kind, list):
        return "|".join(kind)
    if kind == "array" and isinstance(schema.get("items"), dict) and schema["items"]:
        return f"array[{type_text(schema['items'])}]"
    if kind is None:
        return "object" if "$ref" in schema else ANY
    return str(kind)


def signature(tool: Tool, level: SignatureLevel = SignatureLevel.SIGNATURE) -> str:
    """One line for one tool; defaults are written as JSON, as a call would write them."""
    if level is SignatureLevel.NAMES:
        return tool.name
    typed = level is SignatureLevel.TYPED
    inside = ", ".join(_parameter_text(p, typed) for p in tool.parameters)
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


def _parameter_text(parameter: Parameter, typed: bool) -> str:
    optional_without_default = not parameter.required and not parameter.has_default
    text = parameter.name + ("?" if optional_without_default else "")
    if typed:
        text += f": {type_text(parameter.schema)}"
    if parameter.required or optional_without_default:
        return text
    return text + (" = " if typed else "=") + _json(parameter.default)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
