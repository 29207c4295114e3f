"""SOURCE `mcp:COMMAND ARGS`: the tools that a live MCP server lists.

The server is started, asked and stopped. To have it carry out calls too: `agent.mcp.server`.
"""

from __future__ import annotations

from tooldrill.agent.tool import Registry


def mcp_registry(command: str) -> Registry:
    """The tools of the MCP server that `command` starts, in the server's order.

    Args:
        command: split as a shell would; the server speaks MCP over its stdin and stdout.

    Raises:
        TooldrillError: when it cannot be started, speaks no MCP, or offers no tools.
    """
    # The SDK takes a second to import, and the other sources do not need it.
    from tooldrill.agent.mcp.server import open_mcp

    with open_mcp(command) as environment:
        return environment.registry
