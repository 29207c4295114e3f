"""What a world is: tools as methods of a session, a resettable state, and templates of tasks.

A world's tools are ordinary Python methods with hints and docstrings, introspected like a user's
own functions. A session carries one episode's state. How prompts are worded is not decided here:
see `book`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar

from tooldrill.agent.environment import Observation, ToolError
from tooldrill.agent.introspect import registry_from_functions
from tooldrill.agent.tool import Registry
from tooldrill.data.tasks.task import Split, TaskKind
from tooldrill.data.worlds.book import Book, Template


def own_copy(state: dict[str, Any]) -> dict[str, Any]:
    """A copy of JSON that shares nothing with it; several times faster than `copy.deepcopy`."""
    copied: dict[str, Any] = json.loads(json.dumps(state))
    return copied


class Session(ABC):
    """One episode's state. Public tools are the methods named in `tool_names`."""

    tool_names: ClassVar[tuple[str, ...]]

    @abstractmethod
    def __init__(self, state: dict[str, Any]) -> None: ...

    @abstractmethod
    def snapshot(self) -> dict[str, Any]:
        """The state as JSON: equal for two sessions in which the same was achieved.

        It is a copy: later calls do not change what was given out.
        """

    def close(self) -> None:
        """Frees what the session holds outside memory."""
        return

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        """Runs the tool; the loop has already checked the call against the registry."""
        if name not in self.tool_names:
            return Observation.failure(f"no such tool: {name}")
        try:
            return Observation(str(getattr(self, name)(**arguments)))
        except ToolError as error:
            return Observation.failure(str(error))
        except OverflowError:
            return Observation.failure("a number is too large")
        except UnicodeError as error:
            return Observation.failure(f"not valid text: {error.__class__.__name__}")


class World:
    """A set of tools, the sessions they run in, and the templates that draw tasks."""

    name: ClassVar[str]
    split: ClassVar[Split]
    session_type: ClassVar[type[Session]]
    book: ClassVar[Book]
    own_voices: ClassVar[bool] = False  # its prompts come in many voices already

    @property
    def tool_names(self) -> tuple[str, ...]:
        return self.session_type.tool_names

    @cached_property
    def registry(self) -> Registry:
        """Every tool of the world, introspected from the session's methods."""
        methods = [getattr(self.session_type, name) for name in self.tool_names]
        return registry_from_functions(methods)

    def open(self, state: dict[str, Any]) -> Session:
        """A fresh session over a copy of `state`."""
        return self.session_type(state)

    def templates(self, kind: TaskKind) -> tuple[Template, ...]:
        """The templates that draw `act` drafts (also what `recover` starts from) or `restrain`."""
        restrain = kind is TaskKind.RESTRAIN
        return tuple(t for t in self.book.templates if t.restrain == restrain)
