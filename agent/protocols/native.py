"""`native`: Hermes-style tool calls, `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`.

Free text may come before the call; a reply without a call ends the episode. The chat template shows
the tools and writes the tags. Thinking before the call stays in the thought as it was written, tags
included, so that the template treats it as it treats its own model's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from tooldrill.agent.call import Call, Reply
from tooldrill.agent.episode import Message
from tooldrill.agent.protocols.base import (
    EMPTY_REPLY,
    Tools,
    is_malformed,
    malformed,
    read_call,
    too_many,
)
from tooldrill.agent.protocols.json_text import (
    Refused,
    dump,
    excerpt,
    read_object,
    skip_space,
    storable,
)
from tooldrill.agent.protocols.mending import mend_objects
from tooldrill.agent.protocols.thinking import NEVER_ENDED, split_thinking
from tooldrill.agent.protocols.untagged import find_call_object, is_untagged_call

OPEN, CLOSE = "<tool_call>", "</tool_call>"
_SHAPE = f'{OPEN}{{"name": ..., "arguments": {{...}}}}{CLOSE}'
_AFTER_CALL = "Nothing may follow a call in the same reply."


class Native:
    """The chat template's own tool calls."""

    name: ClassVar[str] = "native"
    shape: ClassVar[str] = _SHAPE

    def parse(self, text: str) -> Reply:
        thinking = split_thinking(text)
        if thinking is None:
            return malformed(text, NEVER_ENDED)
        body = thinking.rest
        first = body.find(OPEN)
        if first < 0:
            return _without_call(text, body, thinking.raw)
        if CLOSE in body[:first]:
            return malformed(text, f"Write {OPEN} before the call and {CLOSE} after it, once each.")
        calls = _read_blocks(body, first)
        if isinstance(calls, str):
            return malformed(text, calls)
        return Reply(
            text=storable(text),
            thought=storable(thinking.raw + body[:first]).strip(),
            calls=tuple(calls),
            problems=too_many(calls),
        )

    def repair(self, text: str) -> Reply | None:
        reply, thinking = self.parse(text), split_thinking(text)
        if not is_malformed(reply) or thinking is None:
            return None
        before, bodies = _broken_bodies(thinking.rest)
        calls: list[Call] = []
        for body in bodies:
            mended = _mended_calls(body)
            if mended is None:
                return None
            calls.extend(mended)
        if not calls:
            return None
        return replace(
            reply,
            thought=storable(thinking.raw + before).strip(),
            calls=tuple(calls),
            problems=(*reply.problems, *too_many(calls)),
            repaired=True,
        )

    def write(self, message: Message) -> str:
        content = str(message.get("content") or "")
        blocks = []
        for item in message.get("tool_calls") or ():
            function = item["function"]
            body = {"name": function["name"], "arguments": function["arguments"]}
            blocks.append(f"{OPEN}{dump(body)}{CLOSE}")
        if not blocks:
            return content
        return (content + "\n" if content else "") + "\n".join(blocks)

    def to_chat(
        self, messages: Sequence[Message], tools: Tools
    ) -> tuple[list[Message], Tools | None]:
        return list(messages), list(tools)


def _without_call(text: str, body: str, thinking: str) -> Reply:
    if CLOSE in body:
        return malformed(text, f"Write {OPEN} before the call: {_SHAPE}.")
    if is_untagged_call(body):
        return malformed(text, f"A call must be written as {_SHAPE}.")
    conclusion = storable(body).strip()
    if not conclusion:
        return malformed(text, EMPTY_REPLY)
    return Reply(text=storable(text), thought=storable(thinking).strip(), conclusion=conclusion)


def _read_blocks(text: str, at: int) -> list[Call] | str:
    """The calls from the tag at `at` to the end, or one sentence saying what is wrong.

    An object ends where its JSON ends, so that a tag inside an argument is data.
    """
    calls: list[Call] = []
    while True:
        found = read_object(text, at + len(OPEN))
        if isinstance(found, Refused):
            return found.reason
        call = read_call(found.value, "name", "arguments")
        if isinstance(call, str):
            return call
        calls.append(call)
        at = skip_space(text, found.end)
        if not text.startswith(CLOSE, at):
            if at == len(text):
                return f"The call is cut off: {CLOSE} is missing."
            return f"Write {CLOSE} right after the call's object, not {excerpt(text[at:], 0)}."
        at = skip_space(text, at + len(CLOSE))
        if not text.startswith(OPEN, at):
            return _AFTER_CALL if text[at:].strip() else calls


def _broken_bodies(text: str) -> tuple[str, list[str]]:
    """The free text before the first call, and what each call's object seems to be.

    With tags, what stands between them; without an opening tag, what ends at the closing one.
    """
    if OPEN in text:
        before, *bodies = text.split(OPEN)
        return before, [part for body in bodies if (part := body.split(CLOSE, 1)[0]).strip()]
    if CLOSE in text:
        text = text.split(CLOSE, 1)[0]
    at = find_call_object(text)
    if at is None:
        at = len(text) if text.lstrip()[:1] not in ("{", "[", "`") else max(0, text.find("{"))
    return text[:at].split("```", 1)[0], [text[at:]]


def _mended_calls(body: str) -> list[Call] | None:
    """The calls in one broken body; None when it holds something else."""
    start = body.find("{")
    if start < 0:
        return None
    body = body[start:].rstrip("` \n\r\t")
    calls: list[Call] = []
    for value in mend_objects(body):
        call = read_call(value, "name", "arguments")
        # Where the arguments broke off before their first brace there is no telling what was meant.
        cut = "arguments" not in value and not body.endswith(("}", "]"))
        if isinstance(call, str) or cut:
            return None
        calls.append(call)
    return calls
