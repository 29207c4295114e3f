"""Turns of an episode for the endpoint engine, and the reply of a scripted server to one."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from scripted_endpoint import reply, serve

from tooldrill.agent.engines.base import Generation, Turn
from tooldrill.agent.engines.endpoint import EndpointEngine
from tooldrill.agent.messages import user
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.settings import EndpointSettings, SamplingSettings

PARAMETERS = {"type": "object", "properties": {"x": {"type": "integer"}}}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": PARAMETERS}}]
NATIVE, REACT = get_protocol("native"), get_protocol("react_json")
FINE = reply(content="fine")


def turn(key: str = "a", *messages: dict[str, Any], **more: Any) -> Turn:
    """A turn in which the tool `f` is offered; `more` are fields of it."""
    fields: dict[str, Any] = {
        "messages": [*messages] or [user("do it")],
        "tools": TOOLS,
        "protocol": NATIVE,
        "sampling": SamplingSettings(seed=3),
        "max_tokens": 50,
        "offset": 2,
    }
    return Turn(key, **fields | more)


def ask(url: str, asked: Turn | None = None, **settings: Any) -> Generation:
    """The reply to one turn, by an engine of its own."""
    asked = turn() if asked is None else asked
    with closing(EndpointEngine(url, settings=EndpointSettings(**settings))) as engine:
        engine.submit(asked)
        ((key, generation),) = engine.collect()
        assert key == asked.key
        return generation


def sent(asked: Turn, pages: dict[str, Any] | None = None) -> dict[str, Any]:
    """The body of the request for a turn."""
    with serve(FINE, pages=pages) as server:
        ask(server.url, asked)
        return server.requests[0]


def call(name: Any, arguments: Any, **more: Any) -> dict[str, Any]:
    """One entry of a reply's `tool_calls`."""
    return {**more, "function": {"name": name, "arguments": arguments}}
