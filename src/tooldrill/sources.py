"""Tool sources by name: those of the agent, and `world:NAME`, tooldrill's own.

The one place that knows every form; a source that can also be executed gives an environment too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from tooldrill.agent.environment import Environment
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.tool import Registry

WORLD = "world:"
PYTHON = "python:"
MCP = "mcp:"


def load_registry(source: str) -> Registry:
    """The tools that SOURCE names.

    Raises:
        TooldrillError: when there is no such source, or nothing usable in it.
    """
    if source.startswith(WORLD):
        from tooldrill.data.worlds.catalog import get_world

        return get_world(source.removeprefix(WORLD)).registry
    from tooldrill.agent.sources.catalog import load_source

    return load_source(source)


@contextmanager
def open_environment(source: str, seed: int = 0) -> Iterator[tuple[Registry, Environment]]:
    """The tools of SOURCE and what executes them, for the block.

    Args:
        seed: of the state a world starts with.

    Raises:
        TooldrillError: when the source only describes tools.
    """
    if source.startswith(WORLD):
        with _world_session(source.removeprefix(WORLD), seed) as opened:
            yield opened
    elif source.startswith(PYTHON):
        from tooldrill.agent.functions import FunctionEnvironment
        from tooldrill.agent.sources.python import load_functions

        functions = load_functions(source.removeprefix(PYTHON))
        with closing(FunctionEnvironment(functions)) as environment:
            yield environment.registry, environment
    elif source.startswith(MCP):
        from tooldrill.agent.mcp.server import open_mcp

        with open_mcp(source.removeprefix(MCP)) as server:
            yield server.registry.compiled(), server
    else:
        raise TooldrillError(
            f"{source} describes tools but cannot run them",
            "give python:MODULE_OR_FILE or 'mcp:COMMAND', or world:NAME to try it in a sandbox",
        )


@contextmanager
def _world_session(name: str, seed: int) -> Iterator[tuple[Registry, Environment]]:
    """All tools of a world over the state of its first task: something to look at and to change."""
    from tooldrill.data.tasks.making import make_tasks
    from tooldrill.data.worlds.catalog import get_world

    world = get_world(name)
    count = len(world.registry)
    (task,) = make_tasks([name], 1, seed, (count, count), recovery=0.0, restraint=0.0)
    session = world.open(task.state)
    try:
        yield world.registry, session
    finally:
        session.close()
