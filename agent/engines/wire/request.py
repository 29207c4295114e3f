"""What is sent for a turn: the body, and the conversation in the API's form.

Arguments are JSON text, every call has an id and every observation the id of its call. What a
server gave (ids, thinking under a name of its own) goes back to it as it came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tooldrill.agent.engines.base import Turn
from tooldrill.agent.engines.wire.server import LLAMA_SERVER, VLLM, ServedModel
from tooldrill.agent.episode import Message
from tooldrill.agent.protocols.dialects.call_ids import call_id
from tooldrill.agent.protocols.thinking import split_thinking
from tooldrill.agent.settings import SamplingSettings
from tooldrill.agent.template_form import Fold


@dataclass
class Memory:
    """What a server gave in one episode that the neutral messages do not hold.

    Attributes:
        ids: of the calls, by the place of their message in the conversation.
        thinking_field: under which name thinking came apart from the content, if it did.
    """

    ids: dict[int, list[str]] = field(default_factory=dict)
    thinking_field: str | None = None


def request_body(
    turn: Turn,
    model: ServedModel,
    memory: Memory,
    extra: Mapping[str, Any],
    *,
    raw: bool,
    stream: bool,
    fold: Fold = list,
) -> dict[str, Any]:
    """The JSON of a request.

    Args:
        extra: further keys, laid over ours.
        raw: the tools are shown to the model, and its reply is not read by the server.
        stream: the reply comes in pieces.
        fold: lays the conversation out for a template that refuses it as it is.
    """
    messages, tools = turn.protocol.to_chat(turn.messages, turn.tools)
    body: dict[str, Any] = {
        "model": model.id,
        "messages": fold(api_messages(messages, memory)),
        "seed": turn.sampling.seed + turn.offset,
        "max_tokens": turn.max_tokens,
        **_sampling(turn.sampling, model.program),
    }
    if tools:
        body |= {"tools": tools, "tool_choice": "none" if raw else "auto"}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body | dict(extra)


def _sampling(sampling: SamplingSettings, program: str | None) -> dict[str, Any]:
    """How tokens are chosen, in the server's words.

    What the API does not know is sent where it is wanted, and always to llama-server: it would
    take defaults of its own (top_k 40, min_p 0.05) for what is left out.
    """
    penalty = "repetition_penalty" if program == VLLM else "repeat_penalty"
    own = {"top_k": sampling.top_k, "min_p": sampling.min_p, penalty: sampling.repeat_penalty}
    off = {"top_k": 0, "min_p": 0.0, penalty: 1.0}
    wanted = {k: v for k, v in own.items() if program == LLAMA_SERVER or v != off[k]}
    return {"temperature": sampling.temperature, "top_p": sampling.top_p, **wanted}


def api_messages(messages: Sequence[Message], memory: Memory) -> list[Message]:
    """The messages as the API wants them."""
    sent: list[Message] = []
    waiting: list[str] = []
    number = 0  # of the calls so far: a template that shows ids gets those of the training
    for place, message in enumerate(messages):
        one: Message = {"role": message["role"], "content": message.get("content") or ""}
        if message["role"] == "assistant":
            _divide_thinking(one, memory.thinking_field)
            answers = _answers(messages, place)
            calls = (message.get("tool_calls") or [])[: max(1, answers)]
            if calls:
                known = memory.ids.get(place, [])
                made = [call_id(number + i) for i in range(1, len(calls) + 1)]
                number, waiting = number + len(calls), [*known, *made[len(known) :]][: len(calls)]
                one["tool_calls"] = [_api_call(*pair) for pair in zip(calls, waiting, strict=True)]
        elif message["role"] == "tool":
            one["tool_call_id"] = waiting.pop(0) if waiting else call_id(number)
        sent.append(one)
    return sent


def _answers(messages: Sequence[Message], place: int) -> int:
    """How many observations follow a message: a call without one may not be sent."""
    count = 0
    while place + count + 1 < len(messages) and messages[place + count + 1]["role"] == "tool":
        count += 1
    return count


def _divide_thinking(message: Message, name: str | None) -> None:
    divided = split_thinking(message["content"]) if name is not None else None
    if name is not None and divided is not None and divided.raw:
        message[name], message["content"] = divided.inside, divided.rest.strip()


def _api_call(item: dict[str, Any], given: str) -> dict[str, Any]:
    function = item["function"]
    arguments = json.dumps(function["arguments"], ensure_ascii=False)
    return {
        "id": given,
        "type": "function",
        "function": {"name": function["name"], "arguments": arguments},
    }
