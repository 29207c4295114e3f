"""Tools with what executes them, under limits: one way in for every source that can be run.

with limited_environment("files", ToolLimits(workspace=folder)) as (registry, environment):
    environment.call("list_dir", {})
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tooldrill.agent.environment import Environment, Observation
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.limits.clip import clip
from tooldrill.agent.limits.confinement import require_confinement
from tooldrill.agent.limits.environment import WorkerEnvironment
from tooldrill.agent.limits.settings import ToolLimits
from tooldrill.agent.limits.tools import FILES, is_live
from tooldrill.agent.tool import Registry, Tool

MCP = "mcp:"


def may_write(tool: Tool) -> bool | None:
    """Whether a call may change something; None when nobody has said.

    Known of the file tools, and of an MCP server's tools that carry `readOnlyHint`: a server's own
    word, which the limits do not rely on.
    """
    return tool.writes


@contextmanager
def limited_environment(source: str, limits: ToolLimits) -> Iterator[tuple[Registry, Environment]]:
    """The tools of SOURCE and what executes them, for the block.

    Args:
        source: `files`, `python:MODULE_OR_FILE[:name,name]`, `skills:DIR` or `mcp:COMMAND ARGS`.

    Raises:
        TooldrillError: when the source cannot be run, its tools cannot be imported under these
            limits, or this system cannot keep the limits (see `ToolLimits.unconfined`).
    """
    limits = _resolved(limits)
    # The file tools keep to the workspace by themselves.
    if source != FILES or limits.allow_shell:
        require_confinement(limits)
    if is_live(source):
        with closing(WorkerEnvironment(source, limits)) as environment:
            yield environment.registry, environment
    elif source.startswith(MCP):
        with _mcp_environment(source.removeprefix(MCP), limits) as opened:
            yield opened
    else:
        raise TooldrillError(
            f"{source} describes tools but cannot run them",
            "give files, python:MODULE_OR_FILE, skills:DIR or 'mcp:COMMAND', or world:NAME to try "
            "it in a sandbox",
        )


def _resolved(limits: ToolLimits) -> ToolLimits:
    if not limits.workspace.is_dir():
        raise TooldrillError(
            f"no folder at {limits.workspace}", "name a folder that exists as the workspace"
        )
    for path in limits.readable:
        if not path.exists():
            raise TooldrillError(f"nothing at {path}", "name a file or folder that exists")
    paths = {
        "workspace": limits.workspace.resolve(),
        "readable": tuple(path.resolve() for path in limits.readable),
    }
    return limits.model_copy(update=paths)


@contextmanager
def _mcp_environment(command: str, limits: ToolLimits) -> Iterator[tuple[Registry, Environment]]:
    from tooldrill.agent.limits.launch import launch_command
    from tooldrill.agent.mcp.server import open_mcp

    with tempfile.TemporaryDirectory(prefix="tooldrill-tools-") as temporary:
        folder = Path(temporary).resolve()
        with open_mcp(
            command,
            limits.start_seconds,
            limits.seconds,
            launcher=lambda words: launch_command(words, limits, folder),
        ) as server:
            yield server.registry.compiled(), _Clipped(server, limits.output_chars)


class _Clipped:
    """An environment whose observations are no longer than was agreed on."""

    def __init__(self, inner: Environment, most: int) -> None:
        self._inner = inner
        self._most = most

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        seen = self._inner.call(name, arguments)
        return Observation(clip(seen.text, self._most), seen.error)
