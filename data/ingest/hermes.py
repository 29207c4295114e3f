"""Hermes function calling: ShareGPT `conversations` with tags for tools, calls and responses.

Also the variant with roles of their own for calls (`function_call`, `observation`), as APIGen-MT
and many conversions have it. A system text that explains how calls are written there is left out,
since the chat template does that here; any other one is kept.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tooldrill.agent.episode import Message
from tooldrill.agent.messages import calls_message, conclusion_message, system, user
from tooldrill.data.ingest.contract import without_thinking
from tooldrill.data.ingest.conversation import Conversation, DroppedError, Given, Record
from tooldrill.data.ingest.literals import call_of, json_or_literal
from tooldrill.data.ingest.observations import observations
from tooldrill.data.ingest.tool_lists import Tools, listed_in, read_tools

_TOOLS = re.compile(r"<tools>(.*?)</tools>", re.DOTALL)
_CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
_RESPONSE = re.compile(r"<tool_response>(.*?)</tool_response>", re.DOTALL)
_USER, _ASSISTANT = ("human", "user"), ("gpt", "assistant", "model", "chatgpt")
_OBSERVATION = ("tool", "observation", "function_response", "function-response")
CALL_ROLES = ("function_call", "function-call")
# What only a text about the notation of calls holds.
_NOTATION = re.compile(r"</?tools?>|</?tool_call|<functioncall|<schema>|[\"']name[\"']\s*:|\[func")
# White space, also where it was escaped once too often.
_SPACE = re.compile(r"\A(?:\s|\\n)+|(?:\s|\\n)+\Z")


def import_hermes(record: Record, given: Given) -> Conversation:
    """The conversation; raises `DroppedError`."""
    turns = list(map(turn_of, record.value["conversations"]))
    instructions = _instructions(record.value, turns)
    tools = read_tools(_tools(record.value, instructions), given)
    messages: list[Message] = []
    if instructions and _NOTATION.search(instructions) is None:
        messages.append(system(instructions))
    for role, text in turns:
        if role in _USER:
            messages.append(user(text))
        elif role in _ASSISTANT:
            messages.append(_reply(text, tools))
        elif role in CALL_ROLES:
            calls = _parsed(text)
            listed = calls if isinstance(calls, list) else [calls]
            messages.append(calls_message([tools.call(call_of(call)) for call in listed]))
        elif role in _OBSERVATION:
            messages += observations(_RESPONSE.findall(text) or [text], messages)
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


def _instructions(row: dict[str, Any], turns: list[tuple[str, str]]) -> str:
    """The system text: of the row's own column, else of the first turn that is one."""
    own = row.get("system")
    said = own if isinstance(own, str) and own.strip() else None
    return said or next((text for role, text in turns if role == "system"), "")


def _tools(row: dict[str, Any], instructions: str) -> Any:
    """The tools: of the row's own column, else of the system text (a list, or one per line)."""
    own = row.get("tools")
    if own and not (isinstance(own, str) and own.strip() in ("", "[]")):
        return own
    # The tags are named once in the instructions before they are used.
    blocks = [block.strip() for block in _TOOLS.findall(instructions) if block.strip()]
    block = max(blocks, key=len, default="")
    if not block:
        return listed_in(instructions)
    try:
        return json_or_literal(block)
    except ValueError:
        return json_lines(block)


def json_lines(text: str) -> list[Any]:
    """JSON values one after the other, with white space between them.

    Raises:
        DroppedError: when something else stands there.
    """
    decoder, values, at = json.JSONDecoder(strict=False), [], 0
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
    text = without_thinking(text)
    bodies = _CALL.findall(text)
    outside = _CALL.sub("", text)
    if "<tool_call>" in outside or "</tool_call>" in outside:
        raise DroppedError("bad_call_syntax", "a tag without its partner")
    if not bodies:
        return conclusion_message(text.strip())
    if _SPACE.sub("", text)[-len("</tool_call>") :] != "</tool_call>":
        raise DroppedError("bad_call_syntax", "text after a call")
    calls = [tools.call(call_of(_parsed(body))) for body in bodies]
    return calls_message(calls, outside.strip())


def _parsed(text: str) -> Any:
    try:
        return json_or_literal(_SPACE.sub("", text))
    except ValueError as error:
        raise DroppedError("bad_call_syntax", str(error)) from error
