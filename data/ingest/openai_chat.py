"""OpenAI chat rows: `messages` and `tools`, or the older `functions` and `function_call`.

Rows of tooldrill's own sets are such rows too, with columns and marks (`weight`, `malformed`,
`damage`) that are kept. With a protocol given, calls are also read from assistant text.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import (
    calls_message,
    conclusion_message,
    malformed_message,
    observation_message,
    system,
    user,
)
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.data.ingest.conversation import Conversation, DroppedError, Given, Record
from tooldrill.data.ingest.literals import arguments_of
from tooldrill.data.ingest.tool_lists import Tools, read_tools
from tooldrill.data.tasks.task import Split

_MARKS = ("malformed", "damage", "refuses_damage", "weight")
_OPEN_RESPONSE, _CLOSE_RESPONSE = "<tool_response>", "</tool_response>"


def import_openai(record: Record, given: Given) -> Conversation:
    """The conversation; raises `DroppedError`."""
    row = record.value
    if row.get("split") == Split.HELDOUT:
        raise DroppedError("heldout_world", str(row.get("world", "")))
    tools = read_tools(row.get("tools") or row.get("functions"), given)
    reader = _Reader(tools, given)
    for message in messages_of(row["messages"]) or ():
        reader.take(message)
    reader.settle()
    texts = {key: str(row.get(key) or "") for key in ("world", "template", "kind", "violation")}
    return Conversation(reader.messages, tools.registry, **texts)


def messages_of(value: Any) -> list[Any] | None:
    """The messages of a row, which some sets keep as JSON text; None when there are none."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, list) else None


@dataclass
class _Reader:
    """Takes the messages one by one.

    Attributes:
        messages: what they have become.
        waiting: ids and names of the calls that no observation has answered yet.
        answers: observations by the place of their call, until all are there.
    """

    tools: Tools
    given: Given
    messages: list[Message] = field(default_factory=list)
    waiting: deque[tuple[str, str]] = field(default_factory=deque)
    answers: dict[int, Message] = field(default_factory=dict)

    def take(self, message: Any) -> None:
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise DroppedError("bad_turn", str(message)[:80])
        role = message["role"]
        if role in ("tool", "function"):
            self._observe(message)
            return
        text = _text(message.get("content"))
        if role == "user" and self.given.protocol and self._answers_call():
            self._observe({"content": _response(text)})
            return
        self.settle()
        if role in ("system", "developer"):
            self.messages.append(system(text))
        elif role == "user":
            self.messages.append({**user(text), **_marks(message)})
        elif role == "assistant":
            self.messages.append({**self._reply(message, text), **_marks(message)})
        else:
            raise DroppedError("unknown_role", role)

    def settle(self) -> None:
        """Puts the observations after the turn that asked for them, in the order of its calls."""
        self.messages += [self.answers[place] for place in sorted(self.answers)]
        self.answers = {}
        self.waiting.clear()

    def _reply(self, message: Mapping[str, Any], text: str) -> Message:
        written = message.get("tool_calls") or []
        if not isinstance(written, list):
            raise DroppedError("bad_call_syntax", str(written)[:80])
        if message.get("function_call"):
            written = [*written, {"function": message["function_call"]}]
        calls = [self.tools.call(_call(item)) for item in written]
        ids = [str(item.get("id") or "") for item in written]
        if not calls and self.given.protocol and not message.get("malformed"):
            return self._read(text)
        self.waiting = deque(zip(ids, (call.name for call in calls), strict=True))
        return calls_message(calls, text) if calls else conclusion_message(text)

    def _read(self, text: str) -> Message:
        """A reply that is only text, read as the protocol says."""
        assert self.given.protocol is not None
        reply = get_protocol(self.given.protocol).parse(text)
        if reply.conclusion is not None:
            return conclusion_message(reply.conclusion)
        if not reply.calls:
            return malformed_message(text)
        calls = [self.tools.call(call) for call in reply.calls]
        self.waiting = deque(("", call.name) for call in calls)
        return calls_message(calls, reply.thought)

    def _answers_call(self) -> bool:
        return bool(self.waiting)

    def _observe(self, message: Mapping[str, Any]) -> None:
        """An observation, matched to its call by id, else by order."""
        place = len(self.answers)
        asked = list(self.waiting)
        if place >= len(asked):
            raise DroppedError("stray_observation", "an observation that no call asked for")
        wanted = message.get("tool_call_id")
        ids = [name for name, _ in asked]
        if isinstance(wanted, str) and any(ids):
            if wanted not in ids:
                raise DroppedError("stray_observation", f"no call has the id {wanted}")
            place = ids.index(wanted)
        if place in self.answers:
            raise DroppedError("stray_observation", "two observations of one call")
        text = _text(message.get("content"))
        self.answers[place] = observation_message(asked[place][1], text)


def _call(item: Any) -> Call:
    # Some sets leave the wrapping `function` out.
    function = item.get("function", item) if isinstance(item, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise DroppedError("bad_call_syntax", str(item)[:80])
    return Call(function["name"], arguments_of(function.get("arguments")))


def _text(content: Any) -> str:
    """The text of a message: a string, or parts that are all text."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, Mapping) else None for part in content]
        if all(isinstance(part, str) for part in parts):
            return "\n".join(str(part) for part in parts)
    raise DroppedError("not_text", str(content)[:80])


def _response(text: str) -> str:
    """An observation that came as a user message, without the tags some templates put there."""
    bare = text.strip()
    if bare.startswith(_OPEN_RESPONSE) and bare.endswith(_CLOSE_RESPONSE):
        return bare[len(_OPEN_RESPONSE) : -len(_CLOSE_RESPONSE)].strip()
    return bare


def _marks(message: Mapping[str, Any]) -> Message:
    marks = {key: message[key] for key in _MARKS if message.get(key) is not None}
    # A weight other than 0 means what no weight means.
    return {k: v for k, v in marks.items() if k != "weight" or v == 0}
