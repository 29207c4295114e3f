"""Glaive function calling v2: functions as JSON objects in `system`, the dialogue in `chat`.

`chat` holds `USER:`, `ASSISTANT:` and `FUNCTION RESPONSE:` turns; a call is written
`<functioncall> {"name": ..., "arguments": '{...}'}`, its arguments as JSON in single quotes.
"""

from __future__ import annotations

import json
import re

from tooldrill.agent.call import Call
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import call_message, conclusion_message, user
from tooldrill.data.ingest.conversation import Conversation, DroppedError, Given, Record
from tooldrill.data.ingest.hermes import json_lines
from tooldrill.data.ingest.literals import arguments_of, call_of
from tooldrill.data.ingest.observations import observations
from tooldrill.data.ingest.tool_lists import Tools, read_tools

_CALL = "<functioncall>"
_END = "<|endoftext|>"
_BEGIN = rf"(?:^|\n|{re.escape(_END)})[ \t]*"
_SPEAKER = re.compile(rf"{_BEGIN}(USER|ASSISTANT|FUNCTION RESPONSE):")
# Some versions abbreviate it.
_ABBREVIATED = re.compile(rf"{_BEGIN}(USER|A|FUNCTION RESPONSE):")
_NAME = r'"(?:[^"\\]|\\.)*"'
_QUOTED = re.compile(
    rf"""^\{{\s*"name"\s*:\s*({_NAME})\s*,\s*"arguments"\s*:\s*'(.*)'\s*\}}$""", re.DOTALL
)


def import_glaive(record: Record, given: Given) -> Conversation:
    """The conversation; raises `DroppedError`."""
    system, chat = str(record.value.get("system") or ""), str(record.value["chat"])
    start = system.find("{")
    tools = read_tools(json_lines(system[start:].strip()) if start >= 0 else None, given)
    speaker = _SPEAKER if "ASSISTANT:" in chat else _ABBREVIATED
    _, *pieces = speaker.split(chat)
    messages: list[Message] = []
    for who, text in zip(pieces[::2], pieces[1::2], strict=True):
        said = text.replace(_END, "").strip()
        if who in ("ASSISTANT", "A"):
            messages.append(_reply(said, tools))
            continue
        if _CALL in said:
            raise DroppedError("bad_turn", f"a call in what {who} says")
        messages += [user(said)] if who == "USER" else observations([said], messages)
    return Conversation(messages, tools.registry)


def _reply(text: str, tools: Tools) -> Message:
    thought, found, body = text.partition(_CALL)
    if not found:
        return conclusion_message(text)
    body = body.strip().removesuffix("</functioncall>").strip()
    return call_message(tools.call(_call(body)), thought.strip())


def _call(body: str) -> Call:
    try:
        return call_of(json.loads(body, strict=False))
    except (ValueError, RecursionError):
        quoted = _QUOTED.match(body)
    if quoted is None:
        raise DroppedError("bad_call_syntax", body[:80])
    name, arguments = json.loads(quoted[1], strict=False), quoted[2]
    try:
        return Call(name, arguments_of(json.loads(arguments, strict=False)))
    except (ValueError, RecursionError):
        # An apostrophe inside the single quotes is written with a backslash, which JSON lacks.
        return Call(name, arguments_of(arguments.replace("\\'", "'")))
