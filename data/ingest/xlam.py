"""xLAM / APIGen function-calling rows: `query`, `tools`, `answers`, the last two as JSON text.

A row is one request and the calls that answer it, without observations: only a single call can be
taken over.
"""

from __future__ import annotations

from typing import Any

from tooldrill.agent.messages import calls_message, user
from tooldrill.data.ingest.conversation import Conversation, DroppedError, Given, Record
from tooldrill.data.ingest.literals import call_of, json_or_literal
from tooldrill.data.ingest.tool_lists import read_tools


def import_xlam(record: Record, given: Given) -> Conversation:
    """The request and its calls; raises `DroppedError`."""
    row = record.value
    tools = read_tools(row.get("tools"), given)
    calls = [tools.call(call_of(item)) for item in _answers(row.get("answers"))]
    if not calls:
        raise DroppedError("no_reply", "no answers")
    messages = [user(str(row.get("query") or "")), calls_message(calls)]
    return Conversation(messages, tools.registry)


def _answers(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = json_or_literal(value)
        except ValueError as error:
            raise DroppedError("bad_call_syntax", str(error)) from error
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
