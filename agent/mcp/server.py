"""A live MCP server as an environment: started over stdio, its tools listed, its calls carried out.

The official SDK's session runs in a thread of its own, so that the rest of the program stays
synchronous. What the tools are for, and whether a call is right, is not decided here.
"""

from __future__ import annotations

import os
import shlex
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any

import psutil
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import ClientSession, MCPError, StdioServerParameters, stdio_client
from mcp_types import (
    CONNECTION_CLOSED,
    REQUEST_TIMEOUT,
)

from tooldrill.agent.environment import Observation
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.mcp.listing import McpServer, first_line, registry_of
from tooldrill.agent.mcp.results import observation_of
from tooldrill.agent.tool import Registry

START_SECONDS = 30.0
CALL_SECONDS = 60.0

# Tells the server's process from others that this program starts.
_MARKER = "TOOLDRILL_MCP_SESSION"


class McpEnvironment:
    """Carries out calls on a running server. Made by `open_mcp`.

    Attributes:
        registry: the tools that the server listed when it started.
    """

    def __init__(
        self,
        registry: Registry,
        portal: BlockingPortal,
        session: ClientSession,
        server: McpServer,
        call_seconds: float,
    ) -> None:
        self.registry = registry
        self._portal = portal
        self._session = session
        self._server = server
        self._seconds = call_seconds

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        ask = partial(self._session.call_tool, name, arguments, read_timeout_seconds=self._seconds)
        try:
            return observation_of(self._portal.call(ask))
        except MCPError as error:
            return Observation.failure(self._refusal(name, error))
        except Exception as error:
            # A result that breaks the protocol or its own schema is the model's to read.
            return Observation.failure(f"{name}: {first_line(error)}")

    def _refusal(self, name: str, error: MCPError) -> str:
        if error.code == REQUEST_TIMEOUT:
            return f"{name}: no answer within {self._seconds:g} s"
        if error.code == CONNECTION_CLOSED:
            words = self._server.last_words()
            return f"{name}: the MCP server has ended" + (f": {words}" if words else "")
        return f"{name}: {first_line(error)}"


@contextmanager
def open_mcp(
    command: str,
    start_seconds: float = START_SECONDS,
    call_seconds: float = CALL_SECONDS,
    launcher: Callable[[list[str]], list[str]] | None = None,
) -> Iterator[McpEnvironment]:
    """Starts an MCP server for the block; its process is gone when the block ends, however it ends.

    Args:
        command: split as a shell would; it inherits the environment and the working folder.
        start_seconds: until the server must have listed its tools.
        call_seconds: until a call must be answered; a later answer is an error observation.
        launcher: makes of the command's words those that are executed (see `limits.launch`).

    Raises:
        TooldrillError: when it cannot be started, speaks no MCP, or offers no tools.
    """
    words = _split(command)
    if launcher is not None:
        words = launcher(words)
    marker = uuid.uuid4().hex
    environment = {**os.environ, _MARKER: marker}
    parameters = StdioServerParameters(
        command=words[0], args=words[1:], env=environment, encoding_error_handler="replace"
    )
    with ExitStack() as stack:
        stderr = stack.enter_context(tempfile.TemporaryFile("w", encoding="utf-8"))
        server = McpServer(command.strip(), parameters, stderr)
        leader = stack.enter_context(_no_remains(marker))
        portal = stack.enter_context(start_blocking_portal())
        connection = portal.wrap_async_context_manager(_connected(server))
        session = _spawn(server, connection.__enter__)
        # Errors of the block are not for the connection: its task groups would wrap them.
        stack.callback(connection.__exit__, None, None, None)
        leader += _marked(psutil.Process().children(), marker)
        registry = registry_of(server, portal, session, start_seconds)
        yield McpEnvironment(registry, portal, session, server, call_seconds)


def _split(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise TooldrillError(
            f"mcp:{command} cannot be split into words: {str(error).lower()}",
            "close the quotes: 'mcp:COMMAND \"an argument with spaces\"'",
        ) from error
    if not words:
        raise TooldrillError(
            "mcp: names no command", "give the command that starts the server: 'mcp:COMMAND ARGS'"
        )
    return words


@asynccontextmanager
async def _connected(server: McpServer) -> AsyncIterator[ClientSession]:
    async with (
        stdio_client(server.parameters, server.stderr) as (read, write),  # type: ignore[arg-type]
        ClientSession(read, write, message_handler=server.take_message) as session,
    ):
        yield session


def _spawn(server: McpServer, enter: Any) -> ClientSession:
    program = server.parameters.command
    try:
        session: ClientSession = enter()
    except FileNotFoundError as error:
        raise TooldrillError(
            f"no command {program!r} to start an MCP server with",
            f"check the spelling, or install it; `command -v {shlex.quote(program)}` must find it",
        ) from error
    except PermissionError as error:
        raise TooldrillError(
            f"{program} is not executable",
            f"chmod +x {shlex.quote(program)}, or name its interpreter: 'mcp:python {program}'",
        ) from error
    except (OSError, ValueError) as error:
        raise server.error(f"cannot be started: {first_line(error)}") from error
    return session


def _marked(processes: Iterable[psutil.Process], marker: str) -> Iterator[psutil.Process]:
    for process in processes:
        with suppress(psutil.Error, OSError):
            if process.environ().get(_MARKER) == marker:
                yield process


@contextmanager
def _no_remains(marker: str) -> Iterator[list[psutil.Process]]:
    """Kills what the SDK has left of a server; the block puts the server's process into the list.

    The SDK stops a server that does not stop by itself, but not what a server that did has left
    behind, nor anything when it is interrupted while it waits.
    """
    leader: list[psutil.Process] = []
    try:
        yield leader
    finally:
        for process in leader:
            # The SDK makes every server the leader of a process group of its own.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        if not leader:
            # It ended before it was seen, so its group is not known; it has done no work yet.
            for process in _marked(psutil.process_iter(), marker):
                with suppress(psutil.Error):
                    process.kill()
