"""`native`: Hermes-style tool calls, `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`.

Free text may come before the call; a reply without a call ends the episode. The chat template shows
the tools and writes the tags.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from tooldrill.agent.call import Call, Reply
from tooldrill.agent.episode import Message
from tooldrill.agent.protocols.base import (
    Tools,
    dump,
    load_object,
    malformed,
    multiple,
    read_call,
)

OPEN, CLOSE = "<tool_call>", "</tool_call>"
_BLOCK = re.compile(re.escape(OPEN) + r"(.*?)" + re.escape(CLOSE), re.DOTALL)
# A call written without its tags: an object (perhaps in a Markdown fence) that names a tool.
_BARE_CALL = re.compile(r'["\']?(name|function|tool|action|tool_call)["\']?\s*:\s*["\'{]')
_BARE_START = re.compile(r"\s*(```\w*\s*)?[\[{]")


class Native:
    """The chat template's own tool calls."""

    name: ClassVar[str] = "native"

    def parse(self, text: str) -> Reply:
        blocks = list(_BLOCK.finditer(text))
        if not blocks:
            return self._without_call(text)
        thought = text[: blocks[0].start()].strip()
        if OPEN in thought or CLOSE in thought:
            return malformed(text, f"A {OPEN} tag is out of place before the call.")
        rest = _BLOCK.sub("", text[blocks[0].start() :]).strip()
        if rest:
            return malformed(text, "Nothing may follow a call in the same reply.")
        calls: list[Call] = []
        for block in blocks:
            value = load_object(block.group(1))
            call = value if isinstance(value, str) else read_call(value, "name", "arguments")
            if isinstance(call, str):
                return malformed(text, call)
            calls.append(call)
        problems = (multiple(len(calls)),) if len(calls) > 1 else ()
        return Reply(text=text, thought=thought, calls=tuple(calls), problems=problems)

    def _without_call(self, text: str) -> Reply:
        if OPEN in text:
            return malformed(text, f"The call is cut off: {CLOSE} is missing.")
        if CLOSE in text:
            return malformed(text, f"The call has no {OPEN} before it.")
        if _BARE_START.match(text) and _BARE_CALL.search(text):
            return malformed(text, f"A call must stand between {OPEN} and {CLOSE}.")
        if not text.strip():
            return malformed(text, "The reply is empty: call a tool or give the final answer.")
        return Reply(text=text, conclusion=text.strip())

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
