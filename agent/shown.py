"""How much of its tools a model is shown, for measuring what the rest is worth.

Calls are checked against the whole tools all the same. What a level's line looks like is the chat
template's matter; see `signature` for the lines of the bundled ones.
"""

from __future__ import annotations

from typing import Any, Literal

from tooldrill.agent.protocols.base import Tools
from tooldrill.agent.tool import JsonSchema, Registry, Tool

Level = Literal["none", "names", "signature", "typed"]


def shown_tools(registry: Registry, level: Level) -> Tools:
    """The OpenAI tool list with as much of each tool as the level says.

    Args:
        level: `none`: no tool at all; `names`: without parameters and descriptions; `signature`:
            parameters with their defaults, untyped; `typed`: everything.
    """
    if level == "none":
        return []
    if level == "typed":
        return registry.to_openai()
    return Registry(_reduced(tool, level) for tool in registry).to_openai()


def _reduced(tool: Tool, level: Level) -> Tool:
    properties: dict[str, JsonSchema] = {}
    if level == "signature":
        properties = {name: _untyped(one) for name, one in tool.schema["properties"].items()}
    required = [name for name in tool.schema.get("required", ()) if name in properties]
    schema = {"type": "object", "properties": properties, "required": required}
    return Tool(tool.name, "", schema, tool.writes)


def _untyped(schema: Any) -> JsonSchema:
    known = isinstance(schema, dict) and "default" in schema
    return {"default": schema["default"]} if known else {}
