"""`react_json`: one JSON object per reply, for agents that use no native tool calls.

`{"thought", "action", "args"}` calls a tool, `{"thought", "conclusion"}` ends the episode. The
tools are listed in the system message and observations come back as user messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tooldrill.agent.call import Reply
from tooldrill.agent.episode import Message
from tooldrill.agent.protocols.base import (
    Tools,
    dump,
    load_object,
    malformed,
    read_call,
)
from tooldrill.agent.signature import SignatureLevel, signatures
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import Violation, ViolationClass

_RULES = """You work step by step with tools. Answer with one JSON object and nothing else.
To call a tool: {"thought": "...", "action": "tool name", "args": {...}}
To finish: {"thought": "...", "conclusion": "..."}
Tools:
"""


class ReactJson:
    """One JSON object per reply."""

    name: ClassVar[str] = "react_json"

    def parse(self, text: str) -> Reply:
        value = load_object(text)
        if isinstance(value, str):
            return malformed(text, value.replace("The call", "The reply", 1))
        thought = str(value.get("thought", ""))
        finishes, acts = "conclusion" in value, "action" in value
        if finishes and acts:
            return malformed(text, 'Give either "action" or "conclusion", not both.')
        if finishes:
            conclusion = value["conclusion"]
            answer = conclusion if isinstance(conclusion, str) else dump(conclusion)
            return Reply(text=text, thought=thought, conclusion=answer)
        if isinstance(value.get("action"), list):
            problem = Violation(
                kind=ViolationClass.MULTIPLE_CALLS, message="One call per reply: action is a list."
            )
            return Reply(text=text, thought=thought, problems=(problem,))
        call = read_call(value, "action", "args")
        if isinstance(call, str):
            return malformed(text, call)
        return Reply(text=text, thought=thought, calls=(call,))

    def write(self, message: Message) -> str:
        content = str(message.get("content") or "")
        if message.get("malformed"):
            return content
        calls = [item["function"] for item in message.get("tool_calls") or ()]
        if not calls:
            return dump({"thought": message.get("thought", ""), "conclusion": content})
        objects = [{"thought": content, "action": c["name"], "args": c["arguments"]} for c in calls]
        return "\n".join(dump(o) for o in objects)

    def to_chat(
        self, messages: Sequence[Message], tools: Tools
    ) -> tuple[list[Message], Tools | None]:
        chat: list[Message] = [{"role": "system", "content": self._system(messages, tools)}]
        for message in messages:
            chat.extend(self._chat_message(message))
        return chat, None

    @staticmethod
    def _system(messages: Sequence[Message], tools: Tools) -> str:
        listing = _RULES + signatures(Registry.from_openai(tools), SignatureLevel.TYPED)
        own = [str(m["content"]) for m in messages[:1] if m["role"] == "system"]
        return "\n\n".join([*own, listing])

    def _chat_message(self, message: Message) -> list[Message]:
        role = message["role"]
        if role == "system":
            return []
        content: Any = message["content"]
        if role == "assistant":
            return [{"role": role, "content": self.write(message)}]
        return [{"role": "user", "content": content}]
