"""Asking a connected MCP server for its tools, and one line for whatever it does instead.

How it is connected and left is the work of `server` (a process) and `over_http`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace

import anyio
from anyio.from_thread import BlockingPortal
from mcp import ClientSession, MCPError, types
from mcp_types import CONNECTION_CLOSED, METHOD_NOT_FOUND, UNSUPPORTED_PROTOCOL_VERSION
from pydantic import ValidationError

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.tool import Registry, Tool

# A banner on stdout is forgiven; a program that goes on like this is no MCP server.
_MOST_UNREADABLE = 20
# The SDK logs every unreadable line with a traceback, which Python prints if nobody listens.
logging.getLogger("mcp").addHandler(logging.NullHandler())


@dataclass
class McpServer:
    """What a server is called, and what was heard from it beside the protocol.

    Attributes:
        name: its command or its address.
        next_step: what to try when it is of no use.
        late_step: the same when it takes too long.
        ended: what its end is called in messages.
        trouble: why it is of no use, where that became known.
        unreadable: the first lines that were no messages.
    """

    name: str
    next_step: str
    late_step: str
    ended: str = "has ended"
    trouble: TooldrillError | None = None
    unreadable: list[str] = field(default_factory=list)
    handshake: anyio.CancelScope | None = None

    async def take_message(self, message: object) -> None:
        """Counts lines that are no messages, and gives up on too many of them."""
        if not isinstance(message, Exception):
            return
        if len(self.unreadable) < _MOST_UNREADABLE:
            self.unreadable.append(_unreadable_line(message))
        elif self.handshake is not None:
            self.handshake.cancel()

    def last_words(self) -> str:
        """The last that it said of itself beside the protocol."""
        return ""

    def error(self, what: str, next_step: str = "") -> TooldrillError:
        """One line about this server."""
        return TooldrillError(f"MCP server {self.name!r} {what}", next_step or self.next_step)


def registry_of(
    server: McpServer, portal: BlockingPortal, session: ClientSession, seconds: float
) -> Registry:
    """The tools that the server lists, in its order.

    Raises:
        TooldrillError: when it lists none within `seconds`, and why.
    """
    try:
        listed = portal.call(_list_tools, server, session, seconds)
    except TimeoutError as error:
        if session.protocol_version is None and server.unreadable:
            raise _no_mcp(server) from error
        words = server.last_words()
        last = f"; its last line: {words}" if words else ""
        raise server.error(
            f"has not listed its tools within {seconds:g} s{last}", server.late_step
        ) from error
    except MCPError as error:
        raise server.trouble or _start_error(server, session, error) from error
    except (ValidationError, RuntimeError) as error:
        raise server.error(f"breaks the protocol: {first_line(error)}") from error
    if not listed:
        raise _no_tools(server)
    names = [tool.name for tool in listed]
    for name in names:
        if names.count(name) > 1:
            raise server.error(
                f"offers two tools named {name!r}", "names must be unique: tell its author"
            )
    return Registry(_tool(tool) for tool in listed)


async def _list_tools(
    server: McpServer, session: ClientSession, seconds: float
) -> list[types.Tool]:
    """Greets the server and follows its list of tools to the last page.

    Raises:
        TimeoutError: when that took longer than `seconds`, or too much came that is no message.
    """
    tools: list[types.Tool] = []
    seen: set[str | None] = set()
    cursor: str | None = None
    with anyio.move_on_after(seconds) as server.handshake:
        await _greet(session)
        while cursor not in seen:
            seen.add(cursor)
            page = await session.list_tools(params=types.PaginatedRequestParams(cursor=cursor))
            tools += page.tools
            cursor = page.next_cursor
            if cursor is None:
                return tools
        raise RuntimeError(f"its list of tools comes back to page {cursor!r}")
    raise TimeoutError


async def _greet(session: ClientSession) -> None:
    """Agrees on a protocol version.

    The older handshake goes first: it is what every server of today answers, while some of them
    stop at any other first message.
    """
    try:
        await session.initialize()
    except MCPError as error:
        if error.code not in (UNSUPPORTED_PROTOCOL_VERSION, METHOD_NOT_FOUND):
            raise
        await session.discover()


def _start_error(server: McpServer, session: ClientSession, error: MCPError) -> TooldrillError:
    greeted = session.protocol_version is not None
    if error.code == METHOD_NOT_FOUND and greeted:
        return _no_tools(server)
    if error.code != CONNECTION_CLOSED:
        return server.error(f"refuses: {first_line(error)}")
    words = server.last_words()
    if server.unreadable and not words:
        return _no_mcp(server)
    return server.error(
        f"{server.ended} before it listed its tools" + (f": {words}" if words else "")
    )


def _no_mcp(server: McpServer) -> TooldrillError:
    return server.error(
        f"speaks no MCP on its stdout: it printed {server.unreadable[0]!r}",
        "give the command that starts the server over stdio (some need an argument: --stdio)",
    )


def _no_tools(server: McpServer) -> TooldrillError:
    return server.error("offers no tools", "check that it is the right server and its arguments")


def _tool(tool: types.Tool) -> Tool:
    described = Tool.from_openai(
        {
            "name": tool.name,
            "description": tool.description or tool.title or "",
            "parameters": tool.input_schema,
        }
    )
    reads = tool.annotations.read_only_hint if tool.annotations is not None else None
    return replace(described, writes=None if reads is None else not reads)


def _unreadable_line(error: Exception) -> str:
    line = error.errors()[0]["input"] if isinstance(error, ValidationError) else error
    return str(line).strip()[:80]


def first_line(error: Exception) -> str:
    """What an exception says, in one line."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__
