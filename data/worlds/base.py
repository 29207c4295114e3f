"""What a world is: tools as methods of a session, a resettable state, and templates of tasks.

A world's tools are ordinary Python methods with hints and docstrings, introspected like a user's
own functions. A session carries one episode's state.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from tooldrill.agent.environment import Observation
from tooldrill.agent.introspect import registry_from_functions
from tooldrill.agent.tool import Registry
from tooldrill.data.task import Split, TaskKind


class ToolError(Exception):
    """What a tool raises to refuse: its text is what the model reads."""


class Session(ABC):
    """One episode's state. Public tools are the methods named in the world's `tool_names`."""

    @abstractmethod
    def snapshot(self) -> dict[str, Any]:
        """The state as JSON: equal for two sessions in which the same was achieved."""

    def close(self) -> None:
        """Frees what the session holds outside memory."""
        return None

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        """Runs the tool; the loop has already checked the call against the registry."""
        method = getattr(self, name)
        try:
            return Observation(str(method(**arguments)))
        except ToolError as error:
            return Observation.failure(str(error))


@dataclass(frozen=True)
class Draft:
    """What a template makes of one draw: a task without its id, tools and world.

    Attributes:
        needs: tools that must be among those offered beside the oracle's own (siblings that tempt).
    """

    prompt: str
    state: dict[str, Any]
    oracle: list[tuple[str, dict[str, Any]]]
    answer: str
    answer_contains: tuple[str, ...] = ()
    kind: TaskKind = TaskKind.ACT
    needs: tuple[str, ...] = ()


Template = Callable[[random.Random], Draft]


class World(ABC):
    """A set of tools, the sessions they run in, and the templates that draw tasks."""

    name: ClassVar[str]
    split: ClassVar[Split]
    session_type: ClassVar[type[Session]]
    tool_names: ClassVar[tuple[str, ...]]

    @cached_property
    def registry(self) -> Registry:
        methods = [getattr(self.session_type, name) for name in self.tool_names]
        return registry_from_functions(methods)

    @abstractmethod
    def open(self, state: dict[str, Any]) -> Session:
        """A fresh session over a copy of `state`."""

    @abstractmethod
    def templates(self) -> dict[str, Template]:
        """Prompt templates by name; each draws one task from a seeded generator."""

    def drafts(self, rng: random.Random) -> Iterator[tuple[str, Draft]]:
        """Endless drafts, the templates in turn so that none is rare."""
        templates = self.templates()
        while True:
            order = list(templates)
            rng.shuffle(order)
            for name in order:
                yield name, templates[name](rng)
