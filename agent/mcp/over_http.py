"""An MCP server that runs already, reached over HTTP (MCP's "streamable HTTP" transport).

Nothing here limits what its tools do: they run where the server does. Time and the size of an
answer are bounded. A server that is started here speaks over its stdin and stdout: see `server`.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import Any

import anyio
import httpx2
from anyio.from_thread import start_blocking_portal
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp_types import INTERNAL_ERROR

from tooldrill.agent.mcp.address import checked, shown
from tooldrill.agent.mcp.environment import CALL_SECONDS, START_SECONDS, McpEnvironment
from tooldrill.agent.mcp.listing import McpServer, first_line, registry_of

KEY_VARIABLE = "TOOLDRILL_MCP_KEY"
_CONNECT_SECONDS = 10.0
_GOODBYE_SECONDS = 2.0
_MOST_BYTES = 16 * 2**20  # of one answer: far more than an observation, far less than memory
_JSON, _EVENTS = "application/json", "text/event-stream"


@contextmanager
def open_mcp_over_http(
    url: str, start_seconds: float = START_SECONDS, call_seconds: float = CALL_SECONDS
) -> Iterator[McpEnvironment]:
    """Connects to the server for the block; its session is closed when the block ends.

    The variable TOOLDRILL_MCP_KEY, where it is set, is sent as a bearer token.

    Args:
        url: `http://HOST:PORT/PATH`; the path is mostly `/mcp`.
        start_seconds: until the server must have listed its tools.
        call_seconds: until a call must be answered; a later answer is an error observation.

    Raises:
        TooldrillError: when nothing answers there, it speaks no MCP, wants a key, or offers no
            tools.
    """
    address = checked(url)
    step = "see what the server says itself, and that this is its address"
    server = McpServer(shown(url), step, step, "has broken off")
    longest = max(start_seconds, call_seconds)
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())
        connection = portal.wrap_async_context_manager(_connected(server, address, longest))
        session: ClientSession = connection.__enter__()
        # Errors of the block are not for the connection: its task groups would wrap them.
        stack.callback(connection.__exit__, None, None, None)
        registry = registry_of(server, portal, session, start_seconds)
        yield McpEnvironment(registry, portal, session, server, call_seconds)


@asynccontextmanager
async def _connected(
    server: McpServer, address: str, seconds: float
) -> AsyncIterator[ClientSession]:
    async with (
        _Client(server, seconds) as client,
        streamable_http_client(address, http_client=client, max_sse_event_size=_MOST_BYTES) as (
            read,
            write,
        ),
        ClientSession(read, write, message_handler=server.take_message) as session,
    ):
        yield session


class _Client(httpx2.AsyncClient):
    """Requests of the SDK's transport; what fails on the way is an answer that says so.

    The transport ends as a whole when a request cannot be sent, and then says nothing of why. It
    also reads a body to its end, however long.
    """

    def __init__(self, server: McpServer, seconds: float) -> None:
        key = os.environ.get(KEY_VARIABLE)
        super().__init__(
            headers={"Authorization": f"Bearer {key}"} if key else None,
            # The session gives up after `seconds`; a connection is not kept much longer.
            timeout=httpx2.Timeout(_CONNECT_SECONDS, read=seconds + _CONNECT_SECONDS),
        )
        self._server = server

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """As `httpx2.AsyncClient.send`; never fails for what the server or the way does."""
        seconds = _GOODBYE_SECONDS if request.method == "DELETE" else None
        try:
            with anyio.fail_after(seconds):
                response = await super().send(request, **options)
                return await self._bounded(request, response)
        except (httpx2.RequestError, TimeoutError) as error:
            return self._failed(request, f"cannot be reached: {_words(error)}")

    async def _bounded(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        """The response, read whole unless it is a stream of events, which the SDK bounds."""
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.is_success and (kind == _EVENTS or response.status_code == 202):
            return response
        if response.has_redirect_location:
            return response
        body = bytearray()
        try:
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > _MOST_BYTES:
                    what = f"gives an answer of more than {_MOST_BYTES} bytes"
                    return self._failed(request, what)
        finally:
            await response.aclose()
        if request.method == "POST":
            self._look_at(response, kind, bytes(body))
        headers = {
            name: value
            for name, value in response.headers.items()
            if name not in ("content-encoding", "content-length", "transfer-encoding")
        }
        return httpx2.Response(
            response.status_code, headers=headers, content=bytes(body), request=request
        )

    def _look_at(self, response: httpx2.Response, kind: str, body: bytes) -> None:
        """Notes why an answer shows that there is no server to talk to."""
        said = f"{response.status_code} {response.reason_phrase}".strip()
        if response.status_code in (401, 403):
            self._server.trouble = self._server.error(
                f"wants another key: it answers {said}",
                f"export {KEY_VARIABLE}=..., which is sent as a bearer token",
            )
        elif (response.is_error or body) and (kind != _JSON or not _is_message(body)):
            of = kind or "an answer without a type"
            what = f"it answers {said}" if response.is_error else f"it answers with {of}"
            self._server.trouble = self._server.error(
                f"speaks no MCP: {what}",
                "check the path: that of MCP's streamable HTTP is mostly /mcp",
            )

    def _failed(self, request: httpx2.Request, what: str) -> httpx2.Response:
        if request.method == "POST":
            self._server.trouble = self._server.error(
                what, "start it, or check its address: mcp:http://HOST:PORT/mcp"
            )
        error = {"code": INTERNAL_ERROR, "message": f"the MCP server {what}"}
        body = {"jsonrpc": "2.0", "id": None, "error": error}
        return httpx2.Response(503, json=body, request=request)


def _is_message(body: bytes) -> bool:
    with suppress(ValueError, RecursionError):
        value = json.loads(body)
        return isinstance(value, dict) and "jsonrpc" in value
    return False


def _words(error: Exception) -> str:
    """The reason, which lies below what the client says ("All connection attempts failed")."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError) and below.errno:
            # That of a name that is not found is negative, and its own text the only one.
            known = below.errno > 0
            return (os.strerror(below.errno) if known else str(below.strerror)).lower()
        if isinstance(below, BaseExceptionGroup):
            below = below.exceptions[0]
        else:
            below = below.__cause__ or below.__context__
    return first_line(error)
