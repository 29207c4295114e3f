"""Tools with what executes them, under limits: one way in for every source that can be run.

with limited_environment("files", ToolLimits(workspace=folder)) as (registry, environment):
    environment.call("list_dir", {})
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from tooldrill.agent.environment import Environment, Observation
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.limits.answers import readable
from tooldrill.agent.limits.confinement import describe, require_confinement
from tooldrill.agent.limits.environment import WorkerEnvironment
from tooldrill.agent.limits.removal import remove_folder
from tooldrill.agent.limits.settings import ToolLimits
from tooldrill.agent.limits.tools import FILES, is_live
from tooldrill.agent.sources.catalog import no_source
from tooldrill.agent.tool import Registry

MCP, OPENAI = "mcp:", "openai:"


@contextmanager
def limited_environment(source: str, limits: ToolLimits) -> Iterator[tuple[Registry, Environment]]:
    """The tools of SOURCE and what executes them, for the block.

    Args:
        source: `files`, `python:MODULE_OR_FILE[:name,name]`, `skills:DIR`, `mcp:COMMAND ARGS` or
            `mcp:http://HOST:PORT/mcp`.

    Raises:
        TooldrillError: when the source cannot be run, its tools cannot be imported under these
            limits, this system cannot keep the limits (see `ToolLimits.unconfined`), or the tools
            are elsewhere and the network is not allowed.
    """
    limits = _resolved(limits)
    if _is_elsewhere(source):
        with _distant_environment(source.removeprefix(MCP), limits) as opened:
            yield opened
        return
    # The file tools keep to the workspace by themselves.
    if source != FILES or limits.allow_shell:
        require_confinement(limits)
    if is_live(source):
        with closing(WorkerEnvironment(source, limits)) as environment:
            yield environment.registry, environment
    elif source.startswith(MCP):
        with _mcp_environment(source.removeprefix(MCP), limits) as opened:
            yield opened
    elif not source.startswith(OPENAI):
        raise no_source(source)
    else:
        raise TooldrillError(
            f"{source} describes tools but cannot run them",
            "give files, python:MODULE_OR_FILE, skills:DIR or 'mcp:COMMAND', or world:NAME to try "
            "it in a sandbox",
        )


def describe_limits(source: str, limits: ToolLimits) -> str:
    """One line for a person: what the tools of SOURCE may do here."""
    if not _is_elsewhere(source):
        return describe(limits)
    return (
        "the tools run where their server does, out of reach of any limit but time "
        f"({limits.seconds:g} s) and output"
    )


def _is_elsewhere(source: str) -> bool:
    if not source.startswith(MCP):
        return False
    from tooldrill.agent.mcp.address import is_address

    return is_address(source.removeprefix(MCP))


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

    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="tooldrill-tools-")).resolve()
        stack.callback(remove_folder, folder)
        with open_mcp(
            command,
            limits.start_seconds,
            limits.seconds,
            launcher=lambda words: launch_command(words, limits, folder),
            advice=_advice(limits),
        ) as server:
            yield server.registry.compiled(), _Readable(server, limits)


@contextmanager
def _distant_environment(url: str, limits: ToolLimits) -> Iterator[tuple[Registry, Environment]]:
    from tooldrill.agent.mcp.address import shown
    from tooldrill.agent.mcp.over_http import open_mcp_over_http

    if not limits.allow_network:
        raise TooldrillError(
            f"the tools at {shown(url)} are reached over the network, which tools may not use",
            "add --allow-network; what they do there, tooldrill cannot limit",
        )
    with open_mcp_over_http(url, limits.start_seconds, limits.seconds) as server:
        yield server.registry.compiled(), _Readable(server, limits)


def _advice(limits: ToolLimits) -> str:
    flags = {"--allow-shell": limits.allow_shell, "--allow-network": limits.allow_network}
    closed = " and ".join(flag for flag, given in flags.items() if not given)
    return f" (it ran without {closed} here)" if closed else ""


class _Readable:
    """An environment whose observations are no longer than was agreed on."""

    def __init__(self, inner: Environment, limits: ToolLimits) -> None:
        self._inner = inner
        self._limits = limits

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        return readable(name, self._inner.call(name, arguments), self._limits)
