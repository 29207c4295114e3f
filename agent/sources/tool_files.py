"""`openai:FILE.json`: tools that somebody has written down, in any of the shapes in use.

An OpenAI tool list (with or without the `function` wrapper), Anthropic's `input_schema`, MCP's
`inputSchema`, bare JSON Schemas with a title; as a list, one alone, under a `tools` or `functions`
key (a request body), a mapping from names to schemas, or one per line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.tool import Registry, Tool

_NEXT = "make one: tooldrill tools SOURCE --save FILE"
_SHAPES = (
    'write a list of {"type": "function", "function": {"name", "description", "parameters"}}, of '
    '{"name", "description", "input_schema"}, or of JSON Schemas with a title'
)
_PARAMETERS = ("parameters", "input_schema", "inputSchema")
_SCHEMA_KEYS = frozenset({"properties", "required", "additionalProperties", "$schema", "$defs"})


def tool_file_registry(path: Path) -> Registry:
    """The tools in a file, as `Registry.save` or anybody else wrote it.

    Raises:
        TooldrillError: when the file is missing, is not JSON, or holds something else than tools.
    """
    tools = []
    for number, (item, name) in enumerate(_items(_read(path), path), 1):
        try:
            tools.append(_tool(item, name))
        except TooldrillError as error:
            raise TooldrillError(f"{path}: item {number}: {error.message}", _SHAPES) from None
    if not tools:
        raise TooldrillError(f"{path} holds no tools", _SHAPES)
    return Registry(tools)


def _read(path: Path) -> Any:
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise TooldrillError(f"no registry file at {path}", _NEXT) from None
    except (OSError, UnicodeDecodeError) as error:
        raise TooldrillError(f"{path} cannot be read: {error}", _NEXT) from None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 1:
            try:
                return [json.loads(line) for line in lines]
            except (ValueError, RecursionError):
                pass  # not one object per line either: the first reason is the one that counts
        raise TooldrillError(f"{path} is not JSON: {error}", _NEXT) from None


def _items(found: Any, path: Path) -> Iterator[tuple[Any, str]]:
    """Each tool with the name that its place gives it, if any."""
    if isinstance(found, list):
        yield from ((item, "") for item in found)
    elif not isinstance(found, dict):
        raise TooldrillError(f"{path} is not a list of tools", _SHAPES)
    elif isinstance(listed := found.get("tools", found.get("functions")), list):
        yield from ((item, "") for item in listed)
    elif _is_tool(found):
        yield found, ""
    elif found and all(isinstance(item, dict) for item in found.values()):
        yield from ((item, name) for name, item in found.items())
    else:
        raise TooldrillError(f"{path} is not a list of tools", _SHAPES)


def _is_tool(item: Mapping[str, Any]) -> bool:
    named = isinstance(item.get("name"), str)
    return named or "function" in item or _is_schema(item)


def _is_schema(item: Mapping[str, Any]) -> bool:
    return item.get("type") == "object" or bool(_SCHEMA_KEYS & item.keys())


def _tool(item: Any, name: str) -> Tool:
    if not isinstance(item, dict):
        raise TooldrillError(f"not a tool: {json.dumps(item)[:80]}", _SHAPES)
    function = item.get("function", item)
    if not isinstance(function, dict):
        raise TooldrillError(f"not a tool: {json.dumps(item)[:80]}", _SHAPES)
    key = next((key for key in _PARAMETERS if key in function), None)
    if key is None and _is_schema(function):
        parameters: Any = {k: v for k, v in function.items() if k not in ("title", "name")}
        description = parameters.pop("description", "")
    else:
        parameters = function.get(key) if key else None
        description = function.get("description", "")
    return Tool.from_openai(
        {
            "name": function.get("name") or name or function.get("title"),
            "description": description,
            "parameters": parameters,
        }
    )
