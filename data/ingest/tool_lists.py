"""Tool lists as data sets write them: OpenAI's, flat parameter maps, Python's names of types.

Read kindly, since authors differ; what comes out is an ordinary registry, and a list that makes
none is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.json_schema import JsonSchema, map_subschemas
from tooldrill.agent.tool import Registry, Tool
from tooldrill.data.ingest.conversation import DroppedError, Given
from tooldrill.data.ingest.literals import json_or_literal

_JSON_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
_TYPES: dict[str, str | None] = {
    **{name: name for name in _JSON_TYPES},
    **dict.fromkeys(("str", "text", "char", "date", "datetime", "time", "url", "enum"), "string"),
    **dict.fromkeys(("int", "long"), "integer"),
    **dict.fromkeys(("float", "double", "decimal"), "number"),
    "bool": "boolean",
    **dict.fromkeys(("list", "tuple", "set", "sequence", "iterable"), "array"),
    **dict.fromkeys(("dict", "map", "mapping", "hashmap"), "object"),
    **dict.fromkeys(("none", "nonetype"), "null"),
}
_OPTIONAL = re.compile(r"\boptional\b|,\s*default\b")
_PARAMETERS = ("parameters", "input_schema", "inputSchema", "arguments")
# Of other characters no signature and no server would make a name.
_NOT_IN_NAMES = re.compile(r"[^\w.\-]+", re.ASCII)


@dataclass(frozen=True)
class Tools:
    """A registry, and how the source spelled the names of its tools.

    Attributes:
        names: the source's name to the registry's, which differ where a name could not be written
            in a signature (`Market Trends API` is `Market_Trends_API`).
    """

    registry: Registry
    names: Mapping[str, str]

    def call(self, call: Call) -> Call:
        """The call under the registry's name; one of an unknown tool as it is."""
        return Call(self.names.get(call.name, call.name), call.arguments)


def read_tools(value: Any, given: Given | None = None) -> Tools:
    """The tools of a record.

    Args:
        value: a list of tools, one tool, or the JSON text of either.
        given: whose registry is used when the record has no tools.

    Raises:
        DroppedError: when there are none (`no_tools`) or they cannot be used (`bad_tools`).
    """
    items = _items(value)
    if not items:
        if given is None or given.registry is None:
            raise DroppedError("no_tools")
        return Tools(given.registry, {name: name for name in given.registry.names})
    try:
        tools = [_tool(item) for item in items]
        spelled = list(zip(map(_spelled, items), tools, strict=True))
        # Some lists name the very same tool twice.
        kept = [one for at, one in enumerate(spelled) if one not in spelled[:at]]
        registry = Registry(tool for _, tool in kept).compiled()
    except TooldrillError as error:
        raise DroppedError("bad_tools", error.message) from error
    except RecursionError as error:
        raise DroppedError("bad_tools", "nested too deeply") from error
    return Tools(registry, {name: tool.name for name, tool in kept})


def listed_in(text: str) -> Any:
    """The first JSON list of objects in a text; None when there is none."""
    decoder = json.JSONDecoder(strict=False)
    at = text.find("[")
    while at >= 0:
        try:
            value, _ = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
            return value
        at = text.find("[", at + 1)
    return None


def legal_name(name: str) -> str:
    """The name without the characters that cannot stand in a signature."""
    return _NOT_IN_NAMES.sub("_", name).strip("_")


def _items(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = json_or_literal(value) if value.strip() else []
        except ValueError as error:
            raise DroppedError("bad_tools", str(error)) from error
    if isinstance(value, dict):
        return [value]
    if value is None:
        return []
    if not isinstance(value, list):
        raise DroppedError("bad_tools", f"not a list: {str(value)[:80]}")
    return value


def _spelled(item: Mapping[str, Any]) -> str:
    return str(item.get("function", item)["name"])


def _tool(item: Any) -> Tool:
    function = item.get("function", item) if isinstance(item, dict) else None
    if not isinstance(function, dict):
        raise DroppedError("bad_tools", f"not a tool: {str(item)[:80]}")
    name = function.get("name")
    found = next((function[key] for key in _PARAMETERS if function.get(key)), None)
    return Tool.from_openai(
        {
            "name": legal_name(name) if isinstance(name, str) else name,
            "description": function.get("description"),
            "parameters": _schema(found, function.get("required")),
        }
    )


def _schema(found: Any, required: Any) -> JsonSchema:
    """The JSON Schema of parameters written in any of the usual ways."""
    if found is None:
        return {"type": "object", "properties": {}, "required": []}
    if isinstance(found, list):
        found = {str(item["name"]): item for item in found if isinstance(item, dict)}
    if not isinstance(found, dict):
        raise DroppedError("bad_tools", f"parameters that are no object: {str(found)[:80]}")
    if not _is_schema(found):
        return _flat_schema(found)
    schema = _with_json_types(found)
    if isinstance(required, list) and "required" not in schema:
        schema["required"] = required
    return {"type": "object", "properties": {}, **schema}


def _is_schema(found: Mapping[str, Any]) -> bool:
    """Whether it is a schema, and no map whose parameters are called `type` or `properties`."""
    if isinstance(found.get("type"), str):
        return True
    inner = found.get("properties")
    return isinstance(inner, dict) and all(isinstance(v, dict | bool) for v in inner.values())


def _flat_schema(found: Mapping[str, Any]) -> JsonSchema:
    """A map from names to descriptions: optional is what says so or has a default."""
    properties, required = {}, []
    for name, described in found.items():
        if not isinstance(described, dict):
            raise DroppedError("bad_tools", f"parameter {name!r} is not described by an object")
        kind = str(described.get("type", "")).lower()
        optional = "default" in described or _OPTIONAL.search(kind) is not None
        if described.get("required", not optional) is True:
            required.append(name)
        kept = {k: v for k, v in described.items() if k not in ("required", "name")}
        properties[name] = _without_placeholder(_with_json_types(kept))
    return {"type": "object", "properties": properties, "required": required}


def _without_placeholder(schema: JsonSchema) -> JsonSchema:
    """Without a default of the empty string that stands for none at all."""
    if schema.get("default") == "" and schema.get("type", "string") != "string":
        return {key: value for key, value in schema.items() if key != "default"}
    return schema


def _with_json_types(schema: JsonSchema) -> JsonSchema:
    """The schema with JSON's names of types, and without keywords that say nothing (null)."""
    made = {
        key: value
        for key, value in map_subschemas(schema, _with_json_types).items()
        if value is not None or key in ("default", "const")
    }
    required = made.get("required")
    if isinstance(required, list):
        made["required"] = [name for name in required if isinstance(name, str)]
    else:
        made.pop("required", None)  # `true` on a parameter is draft 3, and not its schema
    kind = made.pop("type", None)
    if isinstance(kind, str):
        made = {**json_type(kind), **made}
    elif isinstance(kind, list):
        names = [json_type(k).get("type") if isinstance(k, str) else k for k in kind]
        made = {"type": names, **made} if all(isinstance(n, str) for n in names) else made
    return made


def json_type(text: str) -> JsonSchema:
    """The schema of a type as Python programmers name it; unknown ones allow everything.

    `str, optional`, `int, default 5`, `List[int]`, `Optional[float]`, `Union[int, str]`.
    """
    first, *_ = _type_arguments(text) or [""]
    head, _, inner = first.strip().partition("[")
    name = head.strip().lower().removeprefix("typing.")
    parts = [json_type(part) for part in _type_arguments(inner.removesuffix("]"))]
    if name in ("optional", "union"):
        names = [kind for part in parts for kind in _as_list(part.get("type"))]
        return {"type": names[0] if len(names) == 1 else names} if all(parts) and names else {}
    kind = _TYPES.get(name)
    if kind is None:
        return {}
    if kind == "array" and len(parts) == 1 and parts[0]:
        return {"type": kind, "items": parts[0]}
    return {"type": kind}


def _type_arguments(text: str) -> list[str]:
    """`int, Dict[str, int]` in its two parts."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part.strip()]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
