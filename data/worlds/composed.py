"""Several worlds at once: one registry of all their tools, each over its own world's state.

`calendar+contacts` is the name of one. It has no templates: its tasks are put together from tasks
of its parts (see `tooldrill.data.tasks.composing`). No world of a config can be one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from tooldrill.agent.environment import Observation
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.tool import Registry
from tooldrill.data.tasks.task import TaskKind
from tooldrill.data.worlds.base import Session, World
from tooldrill.data.worlds.book import Template

JOINED_BY = "+"


class ComposedSession(Session):
    """The sessions of several worlds; a call goes to the one that has the tool.

    Args:
        parts: by the worlds' names; closed with this one.
        owners: the world of each tool.
    """

    def __init__(self, parts: Mapping[str, Session], owners: Mapping[str, str]) -> None:
        self._parts = dict(parts)
        self._owners = owners

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        if name not in self._owners:
            return Observation.failure(f"no such tool: {name}")
        return self._parts[self._owners[name]].call(name, arguments)

    def snapshot(self) -> dict[str, Any]:
        return {name: session.snapshot() for name, session in self._parts.items()}

    def close(self) -> None:
        for session in self._parts.values():
            session.close()


class ComposedWorld(World):
    """Worlds of one split whose tools have different names.

    Raises:
        TooldrillError: when they are of different splits, or share a tool's name.
    """

    def __init__(self, parts: Sequence[World]) -> None:
        self._parts = tuple(parts)
        self._owners = {tool: world.name for world in parts for tool in world.tool_names}
        self.name = JOINED_BY.join(world.name for world in parts)  # type: ignore[misc]
        self.split = parts[0].split  # type: ignore[misc]
        if len({world.split for world in parts}) > 1:
            raise TooldrillError(f"{self.name}: worlds of different splits", "name one split's")
        if len(self._owners) < sum(len(world.tool_names) for world in parts):
            raise TooldrillError(f"{self.name}: two tools share a name", "leave one world out")

    @property
    def tool_names(self) -> tuple[str, ...]:
        return tuple(self._owners)

    @cached_property
    def registry(self) -> Registry:
        """Every tool of every part."""
        return Registry(tool for world in self._parts for tool in world.registry)

    def open(self, state: dict[str, Any]) -> Session:
        """A session over `{world: its state}`; every part needs one."""
        parts = {world.name: world.open(state[world.name]) for world in self._parts}
        return ComposedSession(parts, self._owners)

    def templates(self, kind: TaskKind) -> tuple[Template, ...]:  # noqa: ARG002
        """None of its own."""
        return ()
