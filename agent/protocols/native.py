"""`native`: the chat template's own tool calls, in the dialect that the template writes.

Free text may come before the call (where the dialect allows it); a reply without a call ends the
episode. The chat template shows the tools and writes the calls. Thinking before the call stays in
the thought as it was written, tags included, so that the template treats it as it treats its own
model's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from tooldrill.agent.call import Reply
from tooldrill.agent.episode import Message
from tooldrill.agent.protocols.base import (
    EMPTY_REPLY,
    Tools,
    calls_of,
    is_malformed,
    malformed,
    too_many,
)
from tooldrill.agent.protocols.dialects.base import Dialect, Notation
from tooldrill.agent.protocols.dialects.catalog import HERMES
from tooldrill.agent.protocols.json_text import storable
from tooldrill.agent.protocols.thinking import PLAIN, Thinking, never_ended, split_thinking
from tooldrill.agent.protocols.untagged import is_untagged_call
from tooldrill.agent.tool import Registry


@dataclass(frozen=True)
class Native:
    """The chat template's own tool calls.

    Attributes:
        dialect: how the template writes them (`ChatTemplate.dialect`).
    """

    dialect: Dialect = HERMES

    name: ClassVar[str] = "native"

    @property
    def shape(self) -> str:
        return self.dialect.shape

    @property
    def notation(self) -> Notation:
        return self.dialect.notation

    def parse(self, text: str, registry: Registry | None = None) -> Reply:
        dialect = self.dialect
        opening, closing = dialect.marks
        thinking = split_thinking(text, dialect.marks, dialect.frame)
        if thinking is None:
            return malformed(text, never_ended(dialect.frame))
        body = thinking.rest
        first = dialect.find(body)
        if first is None:
            return self._without_call(text, body, self._thought(thinking, ""))
        if closing and closing in body[:first]:
            reason = f"Write {opening} before the call and {closing} after it, once each."
            return malformed(text, reason)
        calls = dialect.read(body, first, registry)
        if isinstance(calls, str):
            return malformed(text, calls)
        return Reply(
            text=storable(text),
            thought=self._thought(thinking, body[:first]),
            calls=tuple(calls),
            problems=too_many(calls),
        )

    def repair(self, text: str, registry: Registry | None = None) -> Reply | None:
        reply = self.parse(text, registry)
        thinking = split_thinking(text, self.dialect.marks, self.dialect.frame)
        if not is_malformed(reply) or thinking is None:
            return None
        mended = self.dialect.mend(thinking.rest, registry)
        if mended is None or not mended.calls:
            return None
        return replace(
            reply,
            thought=self._thought(thinking, mended.before),
            calls=tuple(mended.calls),
            problems=(*reply.problems, *too_many(mended.calls)),
            repaired=True,
        )

    def write(self, message: Message) -> str:
        content = str(message.get("content") or "")
        calls = calls_of(message)
        return self.join(content, self.dialect.spoken.write(calls)) if calls else content

    def said(self, message: Message) -> Message:
        calls = calls_of(message)
        if not calls or self.dialect.spoken.write(calls) == self.dialect.write(calls):
            return message
        kept = {key: value for key, value in message.items() if key != "tool_calls"}
        return {**kept, "content": self.write(message)}

    def join(self, thought: str, calls: str) -> str:
        """A reply made of free text and written calls; text that may not stand there is dropped."""
        lead = self.dialect.lead
        if lead is None or not thought:
            return calls
        return thought.join(self.dialect.frame.thought) + lead + calls

    def to_chat(
        self, messages: Sequence[Message], tools: Tools
    ) -> tuple[list[Message], Tools | None]:
        plain = self.dialect.frame.plain
        chat = [
            {**message, "content": plain(str(message["content"]))}
            if message.get("malformed")
            else message
            for message in messages
        ]
        # No tools is not an empty list of them: some templates announce that there are tools.
        return chat, list(tools) or None

    def _thought(self, thinking: Thinking, before: str) -> str:
        """Thinking and the text before a call, as the template takes them back."""
        frame = self.dialect.frame
        if frame == PLAIN:
            return storable(thinking.raw + before).strip()
        parts = (thinking.inside, frame.plain(before).strip())
        return storable("\n".join(part for part in parts if part))

    def _without_call(self, text: str, body: str, thought: str) -> Reply:
        opening, closing = self.dialect.marks
        if closing and closing in body:
            return malformed(text, f"Write {opening} before the call: {self.shape}.")
        if is_untagged_call(body):
            return malformed(text, f"A call must be written as {self.shape}.")
        conclusion = storable(self.dialect.frame.answer_in(body)).strip()
        if not conclusion:
            return malformed(text, EMPTY_REPLY)
        return Reply(text=storable(text), thought=thought, conclusion=conclusion)
