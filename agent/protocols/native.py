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
from tooldrill.agent.protocols.thinking import NEVER_ENDED, split_thinking
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
        thinking = split_thinking(text, dialect.marks)
        if thinking is None:
            return malformed(text, NEVER_ENDED)
        body = thinking.rest
        first = dialect.find(body)
        if first is None:
            return self._without_call(text, body, thinking.raw)
        if closing and closing in body[:first]:
            reason = f"Write {opening} before the call and {closing} after it, once each."
            return malformed(text, reason)
        calls = dialect.read(body, first, registry)
        if isinstance(calls, str):
            return malformed(text, calls)
        return Reply(
            text=storable(text),
            thought=storable(thinking.raw + body[:first]).strip(),
            calls=tuple(calls),
            problems=too_many(calls),
        )

    def repair(self, text: str, registry: Registry | None = None) -> Reply | None:
        reply = self.parse(text, registry)
        thinking = split_thinking(text, self.dialect.marks)
        if not is_malformed(reply) or thinking is None:
            return None
        mended = self.dialect.mend(thinking.rest)
        if mended is None or not mended.calls:
            return None
        return replace(
            reply,
            thought=storable(thinking.raw + mended.before).strip(),
            calls=tuple(mended.calls),
            problems=(*reply.problems, *too_many(mended.calls)),
            repaired=True,
        )

    def write(self, message: Message) -> str:
        content = str(message.get("content") or "")
        calls = calls_of(message)
        return self.join(content, self.dialect.write(calls)) if calls else content

    def join(self, thought: str, calls: str) -> str:
        """A reply made of free text and written calls; text that may not stand there is dropped."""
        lead = self.dialect.lead
        return calls if lead is None or not thought else thought + lead + calls

    def to_chat(
        self, messages: Sequence[Message], tools: Tools
    ) -> tuple[list[Message], Tools | None]:
        # No tools is not an empty list of them: some templates announce that there are tools.
        return list(messages), list(tools) or None

    def _without_call(self, text: str, body: str, thinking: str) -> Reply:
        opening, closing = self.dialect.marks
        if closing and closing in body:
            return malformed(text, f"Write {opening} before the call: {self.shape}.")
        if is_untagged_call(body):
            return malformed(text, f"A call must be written as {self.shape}.")
        conclusion = storable(body).strip()
        if not conclusion:
            return malformed(text, EMPTY_REPLY)
        return Reply(text=storable(text), thought=storable(thinking).strip(), conclusion=conclusion)
