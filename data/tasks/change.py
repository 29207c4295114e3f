"""A task whose tools differ in one parameter: dropped, of another type, or held to a format.

What the task asks for stays the same, so whoever reads the signature that is shown still solves
it. New names alone are a mask's work (see `mask`).
"""

from __future__ import annotations

from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.environment import Observation
from tooldrill.agent.tool import JsonSchema, Registry, Tool
from tooldrill.data.tasks.task import Change
from tooldrill.data.worlds.base import Session


def change_registry(change: Change, registry: Registry) -> Registry:
    """The same tools in the same order, the one of the change with its new signature."""
    return Registry(
        _changed(change, tool) if tool.name == change.tool else tool for tool in registry
    )


def change_call(change: Change, call: Call) -> Call:
    """A call of the tools as they were, written for the tools as they are shown."""
    if call.name != change.tool or change.parameter not in call.arguments:
        return call
    arguments = dict(call.arguments)
    value = arguments.pop(change.parameter)
    if change.kind == "dropped":
        return Call(call.name, arguments)
    if change.kind == "format":
        return call
    shown = str(value) if change.kind == "text" else [value]
    return Call(call.name, {**call.arguments, change.parameter: shown})


class ChangedSession(Session):
    """A session whose tools answer to the signature that is shown.

    Args:
        inner: the session as it was; closed with this one.
    """

    def __init__(self, inner: Session, change: Change) -> None:
        self._inner = inner
        self._change = change

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        change = self._change
        if name != change.tool:
            return self._inner.call(name, arguments)
        if change.kind == "dropped":
            return self._inner.call(name, {**arguments, change.parameter: change.value})
        try:
            value = _original(change, arguments[change.parameter])
        except ValueError:
            return Observation.failure(f"`{change.parameter}` is no whole number")
        return self._inner.call(name, {**arguments, change.parameter: value})

    def snapshot(self) -> dict[str, Any]:
        return self._inner.snapshot()

    def close(self) -> None:
        self._inner.close()


def _original(change: Change, shown: Any) -> Any:
    if change.kind == "format":
        return shown
    return int(shown) if change.kind == "text" else shown[0]


def _changed(change: Change, tool: Tool) -> Tool:
    properties: dict[str, JsonSchema] = dict(tool.schema["properties"])
    required = list(tool.schema["required"])
    if change.kind == "dropped":
        del properties[change.parameter]
        required.remove(change.parameter)
    else:
        properties[change.parameter] = _retyped(change, properties[change.parameter])
    schema = {**tool.schema, "properties": properties, "required": required}
    return Tool(tool.name, tool.description, schema, tool.writes)


def _retyped(change: Change, schema: JsonSchema) -> JsonSchema:
    if change.kind == "format":
        return {**schema, "pattern": change.value}
    told = {"description": schema["description"]} if "description" in schema else {}
    if change.kind == "text":
        return {"type": "string", **told}
    items = {key: value for key, value in schema.items() if key != "description"}
    return {"type": "array", "items": items, "minItems": 1, "maxItems": 1, **told}
