"""Reading a reply with the registry at hand: what the protocol alone cannot tell.

A protocol reads its own form of a call. A reply without one is a final answer, unless it is plainly
a call of one of the tools in some other notation: `read_file(path="a")`, `{"read_file": {...}}`.
Only the registry tells these from ordinary text.
"""

from __future__ import annotations

import re

from tooldrill.agent.call import Reply
from tooldrill.agent.protocols.base import CallProtocol, malformed
from tooldrill.agent.tool import Registry

# What may stand before the tool's name: a label, a namespace, a mark of some dialect.
_BEFORE = (
    r"(?:[\w ]{0,20}[:=]\s*|<[\w|]{1,20}>\s*|print\()?"
    r"(?:functions?\.|tools?\.|default_api\.)?"
)
_AFTER = r"\s*(?:\[ARGS\]\s*)?[({\[].*[)}\]]\W*"
_FENCE = re.compile(r"\s*```[\w-]*\s(.*)```\s*", re.DOTALL)
_LABEL = re.compile(r"(?:action|tool|call|function)\s*:", re.IGNORECASE)


def read_reply(text: str, protocol: CallProtocol, registry: Registry) -> Reply:
    """What the protocol reads; a final answer that is a call in another notation is malformed."""
    reply = protocol.parse(text, registry)
    if reply.conclusion is None or not is_call_of_a_tool(reply.conclusion, registry):
        return reply
    return malformed(text, f"A call must be written as {protocol.shape}.")


def is_call_of_a_tool(text: str, registry: Registry) -> bool:
    """Whether the whole text, or its last line with a label, is a call of one of the tools.

    A call in a listing that the text is about is none.
    """
    fenced = _FENCE.fullmatch(text)
    whole = (fenced[1] if fenced else text).strip()
    last = whole.rsplit("\n", 1)[-1].strip()
    return _is_call(whole, registry) or (
        _LABEL.match(last) is not None and _is_call(last, registry)
    )


def _is_call(text: str, registry: Registry) -> bool:
    for name in registry.names:
        if name not in text:
            continue
        written = re.escape(name)
        if re.fullmatch(rf"\W{{0,3}}{_BEFORE}{written}{_AFTER}", text, re.DOTALL):
            return True
        if re.match(rf"\{{\s*[\"']{written}[\"']\s*:\s*\{{", text):
            return True
        if re.match(rf"\{{\s*[\"']name[\"']\s*:\s*[\"']{written}[\"']", text):
            return True
        if re.search(rf"<(?:tool|tool_name|function)>\s*{written}\s*</|<{written}>", text):
            return True
        if re.search(rf"\bto=functions\.{written}\b", text):
            return True
    return False
