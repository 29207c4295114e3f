"""An MCP server as a process of ours: started over stdio for a block, and gone with all it started.

What it is asked then is the work of `listing` and `environment`; one that runs already is reached
by `over_http`.
"""

from __future__ import annotations

import os
import shlex
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import IO, Any

import psutil
from anyio.from_thread import start_blocking_portal
from mcp import ClientSession, StdioServerParameters, stdio_client

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.mcp.environment import CALL_SECONDS, START_SECONDS, McpEnvironment
from tooldrill.agent.mcp.listing import McpServer, first_line, registry_of

_STDERR_TAIL = 8192
# Tells the server's process from others that this program starts.
_MARKER = "TOOLDRILL_MCP_SESSION"


class _Process(McpServer):
    """A server that is started here."""

    def __init__(
        self, command: str, parameters: StdioServerParameters, stderr: IO[str], advice: str
    ) -> None:
        by_hand = f"run it by hand: {command}{advice}"
        late = f"try again if it was still being downloaded, or {by_hand}"
        super().__init__(command, by_hand, late)
        self.parameters = parameters
        self.stderr = stderr

    def last_words(self) -> str:
        """The last line of its stderr, as far as it has been written."""
        # pread leaves alone the file position, which the server's process shares.
        size = os.fstat(self.stderr.fileno()).st_size
        tail = os.pread(self.stderr.fileno(), _STDERR_TAIL, max(0, size - _STDERR_TAIL))
        lines = [line.strip() for line in tail.decode("utf-8", "replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")


@contextmanager
def open_mcp(
    command: str,
    start_seconds: float = START_SECONDS,
    call_seconds: float = CALL_SECONDS,
    launcher: Callable[[list[str]], list[str]] | None = None,
    advice: str = "",
) -> Iterator[McpEnvironment]:
    """Starts an MCP server for the block; its process is gone when the block ends, however it ends.

    Args:
        command: split as a shell would; it inherits the environment and the working folder.
        start_seconds: until the server must have listed its tools.
        call_seconds: until a call must be answered; a later answer is an error observation.
        launcher: makes of the command's words those that are executed (see `limits.launch`).
        advice: added to the next step of an error: what is different when it is run by hand.

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
        server = _Process(command.strip(), parameters, stderr, advice)
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
            "mcp: names no command",
            "give the command that starts the server: 'mcp:COMMAND ARGS', or its address: "
            "mcp:http://HOST:PORT/mcp",
        )
    return words


@asynccontextmanager
async def _connected(server: _Process) -> AsyncIterator[ClientSession]:
    async with (
        stdio_client(server.parameters, server.stderr) as (read, write),  # type: ignore[arg-type]
        ClientSession(read, write, message_handler=server.take_message) as session,
    ):
        yield session


def _spawn(server: _Process, enter: Any) -> ClientSession:
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
