"""ToolACE: the tools as JSON in the system text, calls written `[name(key=value, ...), ...]`.

Calls are parsed, never executed. The system text only explains that notation and is left out.
"""

from __future__ import annotations

import json
from typing import Any

from tooldrill.agent.episode import Message
from tooldrill.agent.messages import calls_message, conclusion_message, observation_message, user
from tooldrill.data.ingest.conversation import Conversation, DroppedError, Given, Record
from tooldrill.data.ingest.hermes import turn_of
from tooldrill.data.ingest.literals import call_list
from tooldrill.data.ingest.tool_lists import Tools, read_tools


def import_toolace(record: Record, given: Given) -> Conversation:
    """The conversation; raises `DroppedError`."""
    row = record.value
    tools = read_tools(_listed(str(row.get("system") or "")), given)
    messages: list[Message] = []
    for role, text in map(turn_of, row["conversations"]):
        if role in ("user", "human"):
            messages.append(user(text))
        elif role in ("assistant", "gpt"):
            messages.append(_reply(text, tools))
        elif role in ("tool", "function", "observation"):
            messages += _observations(text, messages)
        elif role != "system":
            raise DroppedError("unknown_role", role)
    return Conversation(messages, tools.registry)


def _listed(system: str) -> Any:
    """The first list of objects in the text."""
    decoder = json.JSONDecoder()
    at = system.find("[")
    while at >= 0:
        try:
            value, _ = decoder.raw_decode(system, at)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
            return value
        at = system.find("[", at + 1)
    return None


def _reply(text: str, tools: Tools) -> Message:
    calls = call_list(text, list(tools.names))
    if not calls:
        return conclusion_message(text.strip())
    return calls_message([tools.call(call) for call in calls])


def _observations(text: str, before: list[Message]) -> list[Message]:
    """One observation per call; a list with a result for each call is taken apart."""
    calls = (before[-1].get("tool_calls") or []) if before else []
    names = [item["function"]["name"] for item in calls]
    if len(names) <= 1:
        return [observation_message(names[0] if names else "", text.strip())]
    try:
        results = json.loads(text)
    except (ValueError, RecursionError):
        results = None
    if not isinstance(results, list) or len(results) != len(names):
        return [observation_message(names[0], text.strip())]
    return [
        observation_message(name, json.dumps(result, ensure_ascii=False))
        for name, result in zip(names, results, strict=True)
    ]
