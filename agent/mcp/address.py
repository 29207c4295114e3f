"""Where an MCP server runs already: `http://HOST:PORT/PATH`, as a user gives it and as it is shown.

Connecting is the work of `over_http`; this imports nothing of the SDK.
"""

from __future__ import annotations

import httpx

from tooldrill.agent.errors import TooldrillError

_SCHEMES = ("http://", "https://")


def is_address(text: str) -> bool:
    """Whether what stands after `mcp:` is an address and no command."""
    return text.strip().lower().startswith(_SCHEMES)


def checked(text: str) -> str:
    """The address.

    Raises:
        TooldrillError: when it is none.
    """
    try:
        address = httpx.URL(text.strip())
        if not address.host:
            raise ValueError("it names no host")
    except (httpx.InvalidURL, ValueError) as error:
        raise TooldrillError(
            f"mcp:{text} is no address: {error}", "give mcp:http://HOST:PORT/mcp"
        ) from error
    return str(address)


def shown(text: str) -> str:
    """The address without the password that may stand in it.

    Raises:
        TooldrillError: when it is none.
    """
    address = httpx.URL(checked(text))
    return (
        str(address.copy_with(username=None, password=None)) if address.userinfo else text.strip()
    )
