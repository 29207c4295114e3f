"""Glaive function calling v2: functions as JSON objects in `system`, the dialogue in `chat`.

`chat` holds `USER:`, `ASSISTANT:` and `FUNCTION RESPONSE:` turns; a call is written
`<functioncall> {"name": ..., "arguments": '{...}'}`, its arguments as JSON in single quotes.
"""

from __future__ import annotations

import json
import re

from tooldrill.agent.call import Call
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import call_message, conclusion_message, observation_message, user
from tooldrill.data.ingest.conversation import Conversation, DroppedError, Given, Record
from tooldrill.data.ingest.hermes import json_lines
from tooldrill.data.ingest.literals import arguments_of, call_of
from tooldrill.data.ingest.tool_lists import Tools, read_tools

_SPEAKER = re.compile(r"(?:^|\n)[ \t]*(USER|ASSISTANT|FUNCTION RESPONSE):")
_CALL = "<functioncall>"
_END = "<|endoftext|>"
_NAME = r'"(?:[^"\\]|\\.)*"'
_QUOTED = re.compile(
    rf"""^\{{\s*"name"\s*:\s*({_NAME})\s*,\s*"arguments"\s*:\s*'(.*)'\s*\}}$""", re.DOTALL
)


def import_glaive(record: Record, given: Given) -> Conversation:
    """The conversation; raises `DroppedError`."""
    system = str(record.value.get("system") or "")
    start = system.find("{")
    tools = read_tools(json_lines(system[start:].strip()) if start >= 0 else None, given)
    _, *pieces = _SPEAKER.split(str(record.value["chat"]))
    messages: list[Message] = []
    for speaker, text in zip(pieces[::2], pieces[1::2], strict=True):
        said = text.replace(_END, "").strip()
        if speaker == "USER":
            messages.append(user(said))
        elif speaker == "ASSISTANT":
            messages.append(_reply(said, tools))
        else:
            calls = (messages[-1].get("tool_calls") or []) if messages else []
            name = calls[0]["function"]["name"] if calls else ""
            messages.append(observation_message(name, said))
    return Conversation(messages, tools.registry)


def _reply(text: str, tools: Tools) -> Message:
    thought, found, body = text.partition(_CALL)
    if not found:
        return conclusion_message(text)
    return call_message(tools.call(_call(body.strip())), thought.strip())


def _call(body: str) -> Call:
    try:
        return call_of(json.loads(body))
    except (ValueError, RecursionError):
        quoted = _QUOTED.match(body)
    if quoted is None:
        raise DroppedError("bad_call_syntax", body[:80])
    name, arguments = json.loads(quoted[1]), quoted[2]
    try:
        return Call(name, arguments_of(json.loads(arguments)))
    except (ValueError, RecursionError):
        # An apostrophe inside the single quotes is written with a backslash, which JSON lacks.
        return Call(name, arguments_of(arguments.replace("\\'", "'")))
