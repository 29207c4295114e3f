"""A user's own Python functions as an environment, for `tooldrill agent --tools python:...`."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import ConfigDict, ValidationError, validate_call
from pydantic_core import to_jsonable_python

from tooldrill.agent.environment import ERROR_PREFIX, Observation
from tooldrill.agent.introspect import registry_from_functions


class FunctionEnvironment:
    """Calls functions by name. Whatever a function raises becomes an error observation."""

    def __init__(self, functions: Iterable[Callable[..., Any]]) -> None:
        listed = list(functions)
        self.registry = registry_from_functions(listed)
        # validate_call turns JSON into what the hints say: dates, enums, dataclasses, models.
        validated = validate_call(config=ConfigDict(arbitrary_types_allowed=True))
        self._functions = {f.__name__: validated(f) for f in listed}

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        try:
            result = self._functions[name](**arguments)
            if inspect.isawaitable(result):
                result = asyncio.run(_await(result))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            return Observation.failure(f"{name}: {where}: {first['msg']}")
        except Exception as error:
            # A tool's failure is the model's to read, not the loop's to die of.
            return Observation.failure(f"{type(error).__name__}: {error}")
        text = _text(result)
        return Observation(text, error=text.startswith(ERROR_PREFIX))


async def _await(awaitable: Any) -> Any:
    return await awaitable


def _text(result: Any) -> str:
    if isinstance(result, str):
        return result
    return json.dumps(to_jsonable_python(result, fallback=str), ensure_ascii=False)
