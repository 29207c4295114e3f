"""A streamed reply put together from its pieces, and the text as it grows.

Calls come in pieces told apart by their index; name and id come once or, from some servers, with
every piece; arguments come a few characters at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tooldrill.agent.engines.wire.reply import (
    ServedCall,
    ServedReply,
    argument_text,
    take_text,
)

DONE = "[DONE]"


class StreamedReply:
    """The reply so far.

    Attributes:
        reply: what has come.
        finished: the server has said why it ended; a stream that ends before was cut off.
    """

    def __init__(self) -> None:
        self.reply = ServedReply()
        self._by_index: dict[int, ServedCall] = {}

    @property
    def finished(self) -> bool:
        return self.reply.finish is not None

    def take(self, chunk: Mapping[str, Any]) -> None:
        """Adds one chunk; the last one may hold the usage and no choice."""
        self.reply.usage = chunk.get("usage") or _counted(chunk) or self.reply.usage
        for choice in (chunk.get("choices") or [])[:1]:
            delta = choice.get("delta") or {}
            take_text(self.reply, delta)
            legacy = delta.get("function_call")
            for item in delta.get("tool_calls") or ([{"function": legacy}] if legacy else []):
                self._take_call(item)
            self.reply.finish = choice.get("finish_reason") or self.reply.finish

    def _take_call(self, item: Mapping[str, Any]) -> None:
        index, given = item.get("index"), str(item.get("id") or "")
        if not isinstance(index, int):
            # Servers without indices send each call whole, or go on with the last one.
            index = len(self.reply.calls) - (0 if given or not self.reply.calls else 1)
        call = self._by_index.get(index)
        if call is None:
            call = self._by_index[index] = ServedCall()
            self.reply.calls.append(call)
        function = item.get("function") or {}
        name = str(function.get("name") or "")
        call.id = call.id or given
        # A name that comes again is the same one; one that comes in pieces grows.
        call.name = name if name.startswith(call.name) else call.name + name
        call.arguments += argument_text(function.get("arguments"))


def _counted(chunk: Mapping[str, Any]) -> dict[str, Any]:
    """The usage so far, where llama-server counts along: for a reply that is ended on this side."""
    timings = chunk.get("timings")
    if not isinstance(timings, dict) or "predicted_n" not in timings:
        return {}
    cached = timings.get("cache_n", 0)
    return {
        "prompt_tokens": cached + timings.get("prompt_n", 0),
        "completion_tokens": timings["predicted_n"],
        "prompt_tokens_details": {"cached_tokens": cached},
    }


class Pieces:
    """Gives a growing text on piece by piece, also over a second attempt after a broken one.

    Args:
        give: takes each piece, and returns whether the reply is to end there. All pieces together
            are the text, unless an attempt that broke off had begun otherwise: then the new text
            follows on a line of its own.
    """

    def __init__(self, give: Callable[[str], bool]) -> None:
        self._give = give
        self._given = ""

    def grow(self, text: str) -> bool:
        """Gives on what continues the text given already; whether the reply is to end there."""
        if len(text) == len(self._given) or not text.startswith(self._given):
            return False
        piece, self._given = text[len(self._given) :], text
        return self._give(piece)

    def end(self, text: str) -> None:
        """The whole text."""
        if text.startswith(self._given):
            self.grow(text)
        elif text != self._given:
            self._give(f"\n{text}")
            self._given = text
