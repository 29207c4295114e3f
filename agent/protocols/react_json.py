"""`react_json`: one JSON object per reply, for agents that use no native tool calls.

`{"thought", "action", "args"}` calls a tool, `{"thought", "conclusion"}` ends the episode. The
tools are listed in the system message and observations come back as user messages. Thinking before
the object is added to the thought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

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
from tooldrill.agent.protocols.dialects.base import Notation
from tooldrill.agent.protocols.json_text import Refused, dump, read_whole, storable
from tooldrill.agent.protocols.mending import mend_objects
from tooldrill.agent.protocols.thinking import never_ended, split_thinking
from tooldrill.agent.signature import SignatureLevel, signatures
from tooldrill.agent.tool import Registry

_RULES = """You work step by step with tools. Answer with one JSON object and nothing else.
To call a tool: {"thought": "...", "action": "tool name", "args": {...}}
To finish: {"thought": "...", "conclusion": "..."}
Tools:
"""
_EITHER = 'Give either "action" with "args", or "conclusion"'


class ReactJson:
    """One JSON object per reply."""

    name: ClassVar[str] = "react_json"
    notation: ClassVar[Notation] = "object"
    shape: ClassVar[str] = '{"thought": ..., "action": ..., "args": {...}}'

    def parse(self, text: str, _registry: Registry | None = None) -> Reply:
        thinking = split_thinking(text)
        if thinking is None:
            return malformed(text, never_ended())
        if not thinking.rest.strip():
            return malformed(text, EMPTY_REPLY)
        value = read_whole(thinking.rest)
        if isinstance(value, Refused):
            return malformed(text, value.reason)
        return _interpret(text, value, storable(thinking.inside))

    def repair(self, text: str, _registry: Registry | None = None) -> Reply | None:
        reply, thinking = self.parse(text), split_thinking(text)
        if not is_malformed(reply) or thinking is None:
            return None
        start = thinking.rest.find("{")
        values = mend_objects(thinking.rest[start:].rstrip("` \n\r\t")) if start >= 0 else []
        meant = [_interpret(text, value, storable(thinking.inside)) for value in values]
        if not meant or any(is_malformed(one) for one in meant):
            return None
        if len(meant) > 1 and not all(one.calls for one in meant):
            return None
        calls = tuple(call for one in meant for call in one.calls)
        return replace(
            meant[0],
            calls=calls,
            problems=(*reply.problems, *too_many(calls)),
            repaired=True,
        )

    def write(self, message: Message) -> str:
        content = str(message.get("content") or "")
        if message.get("malformed"):
            return content
        calls = [item["function"] for item in message.get("tool_calls") or ()]
        if not calls:
            return dump({"thought": message.get("thought", ""), "conclusion": content})
        objects = [{"thought": content, "action": c["name"], "args": c["arguments"]} for c in calls]
        return "\n".join(dump(o) for o in objects)

    def said(self, message: Message) -> Message:
        return message

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


def _interpret(text: str, value: dict[str, Any], thinking: str) -> Reply:
    """What the object of a reply says.

    An action or a conclusion that is null or empty counts as not given: some models write every
    key every time, and say by that which of the two they mean.
    """
    thought = "\n".join(part for part in (thinking, _text(value.get("thought"))) if part)
    acts, finishes = (value.get(key) not in (None, "") for key in ("action", "conclusion"))
    if acts and finishes:
        return malformed(text, f"{_EITHER}, not both.")
    if finishes:
        conclusion = _text(value["conclusion"])
        if not conclusion.strip():
            return malformed(text, "The conclusion is empty: say what came of the task.")
        return Reply(text=storable(text), thought=thought, conclusion=conclusion)
    if not acts:
        return malformed(text, f"{_EITHER}.")
    calls = _calls({key: item for key, item in value.items() if key != "conclusion"})
    if isinstance(calls, str):
        return malformed(text, calls)
    return Reply(text=storable(text), thought=thought, calls=calls, problems=too_many(calls))


def _calls(value: dict[str, Any]) -> tuple[Call, ...] | str:
    """One call, or several where "action" and "args" are lists of the same length."""
    names, arguments = value["action"], value.get("args")
    if not isinstance(names, list):
        call = read_call(value, "action", "args")
        return call if isinstance(call, str) else (call,)
    if not isinstance(arguments, list) or len(arguments) != len(names) or len(names) < 2:
        return 'One call per reply: "action" must be the name of one tool.'
    pairs = zip(names, arguments, strict=True)
    read = [read_call({**value, "action": n, "args": a}, "action", "args") for n, a in pairs]
    problem = next((one for one in read if isinstance(one, str)), None)
    return problem or tuple(one for one in read if isinstance(one, Call))


def _text(value: Any) -> str:
    """A string as it is, nothing for null, and anything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else dump(value)
