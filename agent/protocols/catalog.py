"""The protocols by name."""

from __future__ import annotations

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.dialects.base import Dialect
from tooldrill.agent.protocols.dialects.catalog import HERMES
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.protocols.react_json import ReactJson

PROTOCOLS: dict[str, CallProtocol] = {p.name: p for p in (Native(), ReactJson())}


def get_protocol(name: str, dialect: Dialect = HERMES) -> CallProtocol:
    """The protocol of that name.

    Args:
        dialect: how `native` writes its calls; the others have one way.

    Raises:
        TooldrillError: when there is none.
    """
    if name not in PROTOCOLS:
        raise TooldrillError(f"no protocol {name!r}", f"choose one of: {', '.join(PROTOCOLS)}")
    return Native(dialect) if name == Native.name else PROTOCOLS[name]
