"""Tool sources by name: those of the agent, and `world:NAME`, tooldrill's own.

The one place that knows every form; a source that can also be executed gives an environment too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tooldrill.agent.environment import Environment
from tooldrill.agent.tool import Registry

if TYPE_CHECKING:
    from tooldrill.agent.limits.settings import ToolLimits

WORLD = "world:"


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
def open_environment(
    source: str, seed: int = 0, limits: ToolLimits | None = None
) -> Iterator[tuple[Registry, Environment]]:
    """The tools of SOURCE and what executes them, for the block.

    Args:
        seed: of the state a world starts with.
        limits: of tools that are executed for real; by default those of `ToolLimits`, in the
            working folder. A world needs none.

    Raises:
        TooldrillError: when the source only describes tools, or cannot be run under the limits.
    """
    if source.startswith(WORLD):
        with _world_session(source.removeprefix(WORLD), seed) as opened:
            yield opened
    else:
        from tooldrill.agent.limits.opening import limited_environment
        from tooldrill.agent.limits.settings import ToolLimits

        limits = limits or ToolLimits(workspace=Path.cwd())
        with limited_environment(source, limits) as opened:
            yield opened


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
