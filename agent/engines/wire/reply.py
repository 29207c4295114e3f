"""A reply in the API's form, and the text that the native protocol reads.

Servers take a reply apart into thinking, content and calls. It is put together again so that one
parser judges every engine: thinking in its tags, the content, each call as Hermes writes it with
its arguments as the model wrote them. Nothing is mended and nothing is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tooldrill.agent.episode import StopReason
from tooldrill.agent.protocols.dialects.hermes import CLOSE, OPEN
from tooldrill.agent.protocols.thinking import END_THINK, THINK

LOOPING = "looping"
"""The `finish` of a reply that was ended on this side."""
# llama-server, DeepSeek and older vLLM say the first; Ollama, OpenRouter and newer vLLM the second.
THINKING_FIELDS = ("reasoning_content", "reasoning")


@dataclass
class ServedCall:
    """A call as the server read it; `arguments` is JSON text, as far as it is known."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class ServedReply:
    """One reply, whole or as far as it has come.

    Attributes:
        thinking_field: under which name the server gives the thinking; None where it gives none.
        finish: the server's `finish_reason`.
        usage: the server's count of tokens, as it came.
    """

    thinking: str = ""
    content: str = ""
    calls: list[ServedCall] = field(default_factory=list)
    thinking_field: str | None = None
    finish: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)

    def text(self, *, growing: bool = False) -> str:
        """As the native protocol writes it; each text of a growing reply begins the next.

        A call that was cut off stays open, and so does thinking that nothing follows.

        Args:
            growing: more may come.
        """
        growing = growing or self.finish == LOOPING
        calls = self._settled() if growing else self.calls
        if len(calls) < len(self.calls) and (not calls or _is_json(calls[-1].arguments)):
            growing = False  # the name of the next one may still grow
        cut = self.finish == "length" and bool(calls) and not _is_json(calls[-1].arguments)
        parts = [self.content] if self.content else []
        parts += [_written(call) for call in calls]
        text = "\n".join(parts)
        if calls and (growing or cut):
            text = text.removesuffix(f"}}{CLOSE}")
        if not self.thinking:
            return text
        # A model that ends its turn inside its thinking has not replied.
        opened = f"{THINK}\n{self.thinking}"
        return f"{opened}\n{END_THINK}\n\n{text}" if text.strip() else opened

    def _settled(self) -> list[ServedCall]:
        """The calls up to the first that is not whole: pieces of several may come in turns."""
        for number, call in enumerate(self.calls):
            if not _is_json(call.arguments):
                return self.calls[: number + bool(call.arguments.strip())]
        return self.calls

    @property
    def stop(self) -> StopReason:
        """Why the reply ended."""
        if self.finish == LOOPING:
            return "looping"
        return "length" if self.finish == "length" else "stop"

    def count(self, *keys: str) -> int:
        """A number in the server's usage, 0 where it is not given."""
        value: Any = self.usage
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value if isinstance(value, int) else 0


def read_choice(body: Mapping[str, Any]) -> ServedReply:
    """The reply in the body of an answer.

    Raises:
        ValueError: when there is none; its text is one line.
    """
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ValueError("an answer without choices")
    message = choices[0].get("message")
    if not isinstance(message, dict):
        raise ValueError("an answer without a message")
    reply = ServedReply(finish=choices[0].get("finish_reason"), usage=body.get("usage") or {})
    take_text(reply, message)
    legacy = message.get("function_call")
    items = message.get("tool_calls") or ([{"function": legacy}] if legacy else [])
    for item in items:
        function = item.get("function") or {}
        name, arguments = function.get("name"), argument_text(function.get("arguments"))
        reply.calls.append(ServedCall(str(item.get("id") or ""), str(name or ""), arguments))
    return reply


def take_text(reply: ServedReply, message: Mapping[str, Any]) -> None:
    """Adds the thinking and the content of a message, or of a piece of one, to the reply."""
    for name in THINKING_FIELDS:
        if isinstance(message.get(name), str) and message[name]:
            reply.thinking += message[name]
            reply.thinking_field = name
            break  # some servers give both, with the same text
    content = message.get("content")
    for part in content if isinstance(content, list) else [content]:
        _take_part(reply, part)
    reply.content += message.get("refusal") or ""


def argument_text(arguments: Any) -> str:
    """Arguments as JSON text: as they came, or written where the server has read them already."""
    if arguments is None:
        return ""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False)


def _take_part(reply: ServedReply, part: Any) -> None:
    """A string, or one of the typed parts that content may be a list of."""
    if isinstance(part, str):
        reply.content += part
    elif isinstance(part, dict) and part.get("type") == "thinking":
        inner = part.get("thinking") or ""
        inside = inner if isinstance(inner, str) else "".join(str(p.get("text", "")) for p in inner)
        reply.thinking += inside
    elif isinstance(part, dict):
        reply.content += str(part.get("text") or "")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _written(call: ServedCall) -> str:
    # Without an argument text the call has no arguments, as a call that leaves the key out.
    arguments = f', "arguments": {call.arguments}' if call.arguments.strip() else ""
    return f'{OPEN}{{"name": {json.dumps(call.name, ensure_ascii=False)}{arguments}}}{CLOSE}'
