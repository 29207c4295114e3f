"""A connected MCP server as an environment: calls in, observations out.

However it was connected (`server`, `over_http`), the official SDK's session runs in a thread of its
own, so that the rest of the program stays synchronous. Whether a call is right is not decided here.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from anyio.from_thread import BlockingPortal
from mcp import ClientSession, MCPError
from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT

from tooldrill.agent.environment import Observation
from tooldrill.agent.mcp.listing import McpServer, first_line
from tooldrill.agent.mcp.results import observation_of
from tooldrill.agent.tool import Registry

START_SECONDS = 30.0
CALL_SECONDS = 60.0


class McpEnvironment:
    """Carries out calls on a server that was asked for its tools.

    Attributes:
        registry: the tools that the server listed when it was connected.
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
            return f"{name}: the MCP server {self._server.ended}" + (f": {words}" if words else "")
        return f"{name}: {first_line(error)}"
