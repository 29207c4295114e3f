"""Hermes function calling: ShareGPT `conversations` with tags for tools, calls and responses.

Also the variant with roles of their own for calls (`function_call`, `observation`). The system
message only explains how calls are written there, which the chat template does here: it is left
out.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tooldrill.agent.episode import Message
from tooldrill.agent.messages import calls_message, conclusion_message, observation_message, user
from tooldrill.data.ingest.conversation import Conversation, DroppedError, Given, Record
from tooldrill.data.ingest.literals import call_of, json_or_literal
from tooldrill.data.ingest.tool_lists import Tools, read_tools

_TOOLS = re.compile(r"<tools>(.*?)</tools>", re.DOTALL)
_CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
_RESPONSE = re.compile(r"<tool_response>(.*?)</tool_response>", re.DOTALL)
_USER, _ASSISTANT = ("human", "user"), ("gpt", "assistant", "model", "chatgpt")
_OBSERVATION = ("tool", "observation", "function_response", "function-response")
_CALL_ROLE = ("function_call", "function-call")


def import_hermes(record: Record, given: Given) -> Conversation:
    """The conversation; raises `DroppedError`."""
    turns = list(map(turn_of, record.value["conversations"]))
    tools = read_tools(_tools(record.value, turns), given)
    messages: list[Message] = []
    for role, text in turns:
        if role in _USER:
            messages.append(user(text))
        elif role in _ASSISTANT:
            messages.append(_reply(text, tools))
        elif role in _CALL_ROLE:
            messages.append(calls_message([tools.call(call_of(_parsed(text)))]))
        elif role in _OBSERVATION:
            messages += _observations(text, messages)
        elif role != "system":
            raise DroppedError("unknown_role", role)
    return Conversation(messages, tools.registry)


def turn_of(item: Any) -> tuple[str, str]:
    """Role and text of one element of `conversations`, whichever keys it uses.

    Raises:
        DroppedError: when it has none.
    """
    if isinstance(item, dict):
        role, text = item.get("from", item.get("role")), item.get("value", item.get("content"))
        if isinstance(role, str) and isinstance(text, str):
            return role, text
    raise DroppedError("bad_turn", str(item)[:80])


def _tools(row: dict[str, Any], turns: list[tuple[str, str]]) -> Any:
    """The tools: of the row's own column, else of the system message (a list, or one per line)."""
    if row.get("tools"):
        return row["tools"]
    system = next((text for role, text in turns if role == "system"), "")
    # The tags are named once in the instructions before they are used.
    blocks = [block.strip() for block in _TOOLS.findall(system) if block.strip()]
    block = max(blocks, key=len, default="")
    try:
        return json_or_literal(block) if block else None
    except ValueError:
        return json_lines(block)


def json_lines(text: str) -> list[Any]:
    """JSON values one after the other, with white space between them.

    Raises:
        DroppedError: when something else stands there.
    """
    decoder, values, at = json.JSONDecoder(), [], 0
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise DroppedError("bad_tools", str(error)) from error
        values.append(value)
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
    return values


def _reply(text: str, tools: Tools) -> Message:
    bodies = _CALL.findall(text)
    outside = _CALL.sub("", text)
    if "<tool_call>" in outside or "</tool_call>" in outside:
        raise DroppedError("bad_call_syntax", "a tag without its partner")
    if not bodies:
        return conclusion_message(text.strip())
    if text.rstrip()[-len("</tool_call>") :] != "</tool_call>":
        raise DroppedError("bad_call_syntax", "text after a call")
    calls = [tools.call(call_of(_parsed(body))) for body in bodies]
    return calls_message(calls, outside.strip())


def _observations(text: str, before: list[Message]) -> list[Message]:
    found = [body.strip() for body in _RESPONSE.findall(text)] or [text.strip()]
    calls = (before[-1].get("tool_calls") or []) if before else []
    names = [item["function"]["name"] for item in calls]
    names += [""] * (len(found) - len(names))
    return [observation_message(name, body) for name, body in zip(names, found, strict=False)]


def _parsed(text: str) -> Any:
    try:
        return json_or_literal(text.strip())
    except ValueError as error:
        raise DroppedError("bad_call_syntax", str(error)) from error
