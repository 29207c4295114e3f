"""SOURCE `mcp:COMMAND ARGS` or `mcp:http://HOST:PORT/mcp`: the tools that a live MCP server lists.

It is started or connected to, asked and left. To have it carry out calls too: `agent.mcp`.
"""

from __future__ import annotations

from tooldrill.agent.tool import Registry


def mcp_registry(target: str) -> Registry:
    """The tools of an MCP server, in the server's order.

    Args:
        target: a command, split as a shell would, that starts a server which speaks MCP over its
            stdin and stdout; or the address of one that runs.

    Raises:
        TooldrillError: when it cannot be started or reached, speaks no MCP, or offers no tools.
    """
    # The SDK takes a second to import, and the other sources do not need it.
    from tooldrill.agent.mcp.address import is_address
    from tooldrill.agent.mcp.over_http import open_mcp_over_http
    from tooldrill.agent.mcp.server import open_mcp

    with open_mcp_over_http(target) if is_address(target) else open_mcp(target) as environment:
        return environment.registry
