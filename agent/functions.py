"""A user's own Python functions as an environment, for `tooldrill agent --tools python:...`.

Arguments arrive as JSON and are handed over as what the hints say (dates, enums, dataclasses,
paths, sets); which functions there are is decided in `sources.python`.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from tooldrill.agent.environment import ERROR_PREFIX, Observation, ToolError
from tooldrill.agent.introspect import EMPTY, Offered, offered_parameters, tool_from_function
from tooldrill.agent.tool import Registry, Tool


class _ArgumentError(Exception):
    """A call that cannot be handed over: what is wrong with which argument."""


class _Function:
    """A function with what turns a call's JSON into its arguments."""

    def __init__(self, function: Callable[..., Any], tool: Tool) -> None:
        self._function = function
        self._parameters = offered_parameters(function, tool.name)
        self._adapters = {
            p.name: TypeAdapter(p.type) for p in self._parameters if p.name in tool.parameter_names
        }
        kinds = inspect.signature(function).parameters.values()
        self._positional = {p.name for p in kinds if p.kind is p.POSITIONAL_ONLY}

    def __call__(self, arguments: Mapping[str, Any]) -> Any:
        for name in arguments:
            if name not in self._adapters:
                raise _ArgumentError(f"there is no parameter `{name}`")
        positional: list[Any] = []
        by_name: dict[str, Any] = {}
        for parameter in self._parameters:
            name = parameter.name
            value = (
                self._converted(name, arguments[name])
                if name in arguments
                else self._default(parameter)
            )
            if name in self._positional:
                positional.append(value)
            else:
                by_name[name] = value
        return self._function(*positional, **by_name)

    def _default(self, parameter: Offered) -> Any:
        name, default = parameter.name, parameter.default
        if isinstance(default, FieldInfo):
            default = default.get_default(call_default_factory=True, validated_data={})
        if default is not EMPTY and default is not PydanticUndefined:
            return default
        if name in self._adapters:
            raise _ArgumentError(f"`{name}` is missing")
        raise _ArgumentError(
            f"it needs `{name}`, which is not offered to a model and has no default"
        )

    def _converted(self, name: str, value: Any) -> Any:
        try:
            # By way of JSON, since that is what a call is: a strict model takes a date from it.
            return self._adapters[name].validate_json(json.dumps(value))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in (name, *first["loc"]))
            raise _ArgumentError(f"{where}: {first['msg']}") from error


class FunctionEnvironment:
    """Calls functions by name. Whatever a function raises becomes an error observation.

    Args:
        functions: each under the name of its tool: functions, also async, bound methods, partials,
            callable objects.

    Attributes:
        registry: their tools, in the same order.

    Raises:
        TooldrillError: when one of them cannot be described as a tool.
    """

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.registry = Registry(tool_from_function(f, name) for name, f in functions.items())
        self._functions = {name: _Function(f, self.registry[name]) for name, f in functions.items()}
        self._runner: asyncio.Runner | None = None

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        if name not in self._functions:
            return Observation.failure(f"no such tool: {name}")
        try:
            result = self._functions[name](arguments)
            if inspect.isawaitable(result):
                result = self._await(result)
            text = _text(result)
        except _ArgumentError as error:
            return Observation.failure(f"{name}: {error}")
        except ToolError as error:
            return Observation.failure(str(error))
        except (Exception, SystemExit) as error:
            # A tool's failure is the model's to read, not the loop's to die of.
            return Observation.raised(error)
        return Observation(text, error=text.startswith(ERROR_PREFIX))

    def close(self) -> None:
        """Ends the event loop of the async functions, if any was called."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def _await(self, awaitable: Awaitable[Any]) -> Any:
        async def wait() -> Any:
            return await awaitable

        # One loop for all calls: what a function keeps open (a client, a lock) belongs to its loop.
        self._runner = self._runner or asyncio.Runner()
        return self._runner.run(wait())


def _text(result: Any) -> str:
    if isinstance(result, str):
        return str.__str__(result)  # the text of it, whatever a subclass makes of that
    if isinstance(result, bytes):
        return result.decode("utf-8", "replace")
    shown = to_jsonable_python(result, bytes_mode="base64", fallback=str)
    return json.dumps(shown, ensure_ascii=False)
