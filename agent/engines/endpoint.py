"""Any OpenAI-compatible server (llama-server, vLLM, Ollama, LM Studio) as an engine.

Native calls that the server has parsed are written back as the protocol's text, so that one parser
judges every engine. What the network or the server fails at is a failure, never a violation.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import httpx
import tenacity

from tooldrill.agent.engines.base import EngineInfo, Generation, Turn
from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.protocols.dialects.catalog import HERMES
from tooldrill.agent.protocols.dialects.hermes import CLOSE, OPEN
from tooldrill.agent.settings import ProtocolName

_ATTEMPTS = 4
_BACKOFF = tenacity.wait_exponential(multiplier=0.5, max=10)
_LONGEST_PAUSE = 60.0  # seconds, whatever the server asks for
_PASSING_STATUS = frozenset({408, 429, 500, 502, 503, 504})


class EndpointEngine:
    """Replies from a server.

    Args:
        url: base URL, `http://host:port/v1`.
        model: model name sent along; the server's first one when None.
        parallel: requests under way at once.
        timeout: seconds for one reply.
        api_key: sent as a bearer token.

    Raises:
        TooldrillError: when the server does not answer.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        *,
        parallel: int = 4,
        timeout: float = 300.0,
        api_key: str | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(
            base_url=url.rstrip("/") + "/", timeout=timeout, headers=headers
        )
        self._parallel = parallel
        names = self._models(url)
        self._model = model or (names[0] if names else "default")
        self._pool = ThreadPoolExecutor(parallel)
        self._running: dict[Future[Generation], str] = {}
        self.info = EngineInfo(
            kind="endpoint",
            model=self._model,
            source=url,
            settings={"parallel": parallel, "timeout": timeout},
        )

    @property
    def slots(self) -> int:
        return self._parallel

    def protocol(self, name: ProtocolName) -> CallProtocol:
        # The server has read the model's dialect; what it read is written down in Hermes'.
        return get_protocol(name, HERMES)

    def submit(self, turn: Turn) -> None:
        self._running[self._pool.submit(self._generate, turn)] = turn.key

    def collect(self) -> list[tuple[str, Generation]]:
        if not self._running:
            return []
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        return [(self._running.pop(future), future.result()) for future in done]

    def release(self, key: str) -> None:
        """Nothing is kept for an episode here; the server has its own cache."""

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def _models(self, url: str) -> list[str]:
        try:
            response = self._client.get("models", timeout=10.0)
            response.raise_for_status()
            return [str(item["id"]) for item in response.json().get("data", [])]
        except httpx.HTTPStatusError:
            return []  # it answers; not every server lists its models
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError) as error:
            raise TooldrillError(
                f"the endpoint {url} does not answer: {error}",
                "start it (llama-server -m MODEL.gguf --jinja --port 8080), then give "
                "http://127.0.0.1:8080/v1",
            ) from error

    def _generate(self, turn: Turn) -> Generation:
        start = time.perf_counter()
        try:
            body = self._post(_request(turn, self._model))
            choice = body["choices"][0]
            usage = body.get("usage") or {}
            return Generation(
                text=_text(choice["message"]),
                prompt_tokens=int(usage.get("prompt_tokens", 0)),
                reply_tokens=int(usage.get("completion_tokens", 0)),
                stop="length" if choice.get("finish_reason") == "length" else "stop",
                seconds=time.perf_counter() - start,
            )
        except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError) as error:
            return Generation(failure=f"{type(error).__name__}: {error}")

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        for attempt in tenacity.Retrying(
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=_pause,
            retry=tenacity.retry_if_exception(_passing),
            reraise=True,
        ):
            with attempt:
                response = self._client.post("chat/completions", json=body)
                response.raise_for_status()
        result: dict[str, Any] = response.json()
        return result


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds until the next attempt: as long as the server asks for, where it does."""
    error = state.outcome.exception() if state.outcome is not None else None
    asked = ""
    if isinstance(error, httpx.HTTPStatusError):
        asked = error.response.headers.get("retry-after", "")
    seconds = float(asked) if re.fullmatch(r"\d+(?:\.\d+)?", asked) else 0.0
    return max(_BACKOFF(state), min(seconds, _LONGEST_PAUSE))


def _passing(error: BaseException) -> bool:
    """Whether the same request may succeed a moment later."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in _PASSING_STATUS
    return isinstance(error, httpx.TransportError)


def _request(turn: Turn, model: str) -> dict[str, Any]:
    messages, tools = turn.protocol.to_chat(turn.messages, turn.tools)
    body: dict[str, Any] = {
        "model": model,
        "messages": _openai_messages(messages),
        "temperature": turn.sampling.temperature,
        "top_p": turn.sampling.top_p,
        "seed": turn.sampling.seed + turn.offset,
        "max_tokens": turn.max_tokens,
    }
    if tools is not None:
        body |= {"tools": tools, "tool_choice": "auto"}
    return body


def _openai_messages(messages: Sequence[Message]) -> list[Message]:
    """The messages as the API wants them: arguments as JSON text, every call with an id."""
    wired: list[Message] = []
    calls = 0
    for message in messages:
        one: Message = {"role": message["role"], "content": message.get("content") or ""}
        if message.get("tool_calls"):
            calls += 1
            one["tool_calls"] = [
                {
                    "id": f"call_{calls}",
                    "type": "function",
                    "function": {
                        "name": item["function"]["name"],
                        "arguments": json.dumps(item["function"]["arguments"], ensure_ascii=False),
                    },
                }
                for item in message["tool_calls"][:1]
            ]
        if message["role"] == "tool":
            one["tool_call_id"] = f"call_{calls}"
        wired.append(one)
    return wired


def _text(message: dict[str, Any]) -> str:
    """The reply as the native protocol writes it; arguments stay as the model wrote them."""
    parts = [message["content"]] if message.get("content") else []
    for item in message.get("tool_calls") or ():
        function = item["function"]
        arguments = function["arguments"]
        raw = arguments if isinstance(arguments, str) else json.dumps(arguments)
        parts.append(f'{OPEN}{{"name": {json.dumps(function["name"])}, "arguments": {raw}}}{CLOSE}')
    return "\n".join(parts)
