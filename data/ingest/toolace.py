"""ToolACE: the tools as JSON in the system text, calls written `[name(key=value, ...), ...]`.

The system text only explains that notation and is left out.
"""

from __future__ import annotations

from tooldrill.agent.episode import Message
from tooldrill.agent.messages import calls_message, conclusion_message, user
from tooldrill.data.ingest.conversation import Conversation, DroppedError, Given, Record
from tooldrill.data.ingest.hermes import turn_of
from tooldrill.data.ingest.observations import observations
from tooldrill.data.ingest.tool_lists import Tools, listed_in, read_tools
from tooldrill.data.ingest.written_calls import written_calls


def import_toolace(record: Record, given: Given) -> Conversation:
    """The conversation; raises `DroppedError`."""
    row = record.value
    tools = read_tools(listed_in(str(row.get("system") or "")), given)
    messages: list[Message] = []
    for role, text in map(turn_of, row["conversations"]):
        if role in ("user", "human"):
            messages.append(user(text))
        elif role in ("assistant", "gpt"):
            messages.append(_reply(text, tools))
        elif role in ("tool", "function", "observation"):
            messages += observations([text], messages)
        elif role != "system":
            raise DroppedError("unknown_role", role)
    return Conversation(messages, tools.registry)


def _reply(text: str, tools: Tools) -> Message:
    found = written_calls(text, list(tools.names))
    if found is None:
        return conclusion_message(text.strip())
    thought, calls = found
    return calls_message([tools.call(call) for call in calls], thought)
