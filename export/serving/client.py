"""What is asked of a running llama-server: the OpenAI API with the official client, and its tokens.

Beside the API's own fields, llama-server can tell what the model wrote before it was parsed
(`verbose`), and the ids of the generated tokens (`return_tokens`). Both are asked for: only from
them can be told whether the server read a reply rightly, and where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import Tools

MAX_TOKENS = 128
_SECONDS = 600.0


@dataclass(frozen=True)
class ToolCall:
    """A call as the API gave it; `arguments` is still text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Answer:
    """One reply.

    Attributes:
        content: "" when the API gave none; reasoning likewise.
        finish: the API's `finish_reason`.
        prompt_tokens: of the prompt, as the API counts them.
        raw: what the model wrote, before it was parsed; "" when streamed.
        tokens: the generated ids, the one that ended the reply included; empty when streamed.
        message: the message as received, ready to be sent back.
        error: what the server said instead of a reply; the rest is then empty.
    """

    content: str = ""
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: str = ""
    prompt_tokens: int = 0
    raw: str = ""
    tokens: tuple[int, ...] = ()
    message: Message = field(default_factory=dict)
    error: str = ""


class ServedModel:
    """The model behind a llama-server.

    Args:
        url: without `/v1`.

    Raises:
        TooldrillError: when the client is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            import openai
        except ImportError as error:
            raise TooldrillError(
                "the official openai client is not installed", "pip install 'tooldrill[serve]'"
            ) from error
        self._problems: tuple[type[Exception], ...] = (openai.APIError,)
        self._client = openai.OpenAI(
            base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=_SECONDS
        )
        self._http = httpx.Client(base_url=url, timeout=_SECONDS)

    def prompt_ids(
        self, messages: Sequence[Message], tools: Tools | None, *, thinking: bool = True
    ) -> list[int] | str:
        """The tokens that the server makes of a request, or what it says instead.

        Args:
            thinking: as the server does by itself; False: as with `--reasoning off`.
        """
        body: dict[str, Any] = {"messages": list(messages)}
        if not thinking:
            body["chat_template_kwargs"] = {"enable_thinking": False}
        if tools:
            body["tools"] = tools
        laid_out = self._http.post("/apply-template", json=body)
        if laid_out.is_error:
            return _reason(laid_out)
        text = laid_out.json()["prompt"]
        asked = {"content": text, "add_special": True, "parse_special": True}
        given = self._http.post("/tokenize", json=asked)
        return _reason(given) if given.is_error else [int(i) for i in given.json()["tokens"]]

    def reply(
        self,
        messages: Sequence[Message],
        tools: Tools | None = None,
        *,
        max_tokens: int = MAX_TOKENS,
        **more: Any,
    ) -> Answer:
        """One greedy reply.

        Args:
            more: further fields of the request; those that are llama-server's own too.
        """
        request = _request(messages, tools, max_tokens, more)
        try:
            create: Any = self._client.chat.completions.create
            given = create(**request).model_dump(exclude_none=True)
        except self._problems as error:
            return Answer(error=str(error))
        choice = given["choices"][0]
        verbose = given.get("__verbose", {})
        return _answer(
            choice["message"],
            finish=choice.get("finish_reason", ""),
            prompt_tokens=given["usage"]["prompt_tokens"],
            raw=verbose.get("content", ""),
            tokens=tuple(verbose.get("tokens", ())),
        )

    def streamed(
        self,
        messages: Sequence[Message],
        tools: Tools | None = None,
        *,
        max_tokens: int = MAX_TOKENS,
        **more: Any,
    ) -> Answer:
        """One greedy reply, put together from its deltas as an agent does it."""
        request = _request(messages, tools, max_tokens, more)
        request |= {"stream": True, "stream_options": {"include_usage": True}}
        try:
            create: Any = self._client.chat.completions.create
            return _assembled(chunk.model_dump(exclude_none=True) for chunk in create(**request))
        except self._problems as error:
            return Answer(error=str(error))

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()
        self._http.close()


def _request(
    messages: Sequence[Message], tools: Tools | None, max_tokens: int, more: dict[str, Any]
) -> dict[str, Any]:
    ours = {"verbose": True, "return_tokens": True, **more}
    request = {
        "model": "served",
        "messages": list(messages),
        "temperature": 0.0,
        "max_tokens": max_tokens,
        "extra_body": ours,
    }
    return {**request, "tools": tools} if tools else request


def _answer(message: dict[str, Any], **rest: Any) -> Answer:
    calls = tuple(
        ToolCall(
            str(item.get("id", "")),
            str(item["function"].get("name", "")),
            str(item["function"].get("arguments", "")),
        )
        for item in message.get("tool_calls", ())
    )
    return Answer(
        content=message.get("content") or "",
        reasoning=message.get("reasoning_content") or "",
        calls=calls,
        message=message,
        **rest,
    )


def _assembled(chunks: Iterable[dict[str, Any]]) -> Answer:
    texts = {"content": "", "reasoning_content": ""}
    calls: dict[int, dict[str, Any]] = {}
    finish, prompt_tokens = "", 0
    for chunk in chunks:
        prompt_tokens = chunk.get("usage", {}).get("prompt_tokens", prompt_tokens)
        for choice in chunk["choices"]:
            delta = choice["delta"]
            finish = choice.get("finish_reason") or finish
            for key in texts:
                texts[key] += delta.get(key) or ""
            for item in delta.get("tool_calls", ()):
                call = calls.setdefault(item["index"], {"type": "function", "function": {}})
                call["id"] = item.get("id") or call.get("id", "")
                for key, piece in item.get("function", {}).items():
                    call["function"][key] = call["function"].get(key, "") + piece
    message = {"role": "assistant", **texts, "tool_calls": [calls[i] for i in sorted(calls)]}
    return _answer(message, finish=finish, prompt_tokens=prompt_tokens)


def _reason(response: httpx.Response) -> str:
    """What the server says of a request that it refuses."""
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return response.text[:300]
