"""The connection to a server: requests with time limits, sent again where that may help.

A limit holds for a whole reply, however it trickles in. Connections are kept and used again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import anyio
import httpx
import tenacity
from httpx_sse import EventSource

from tooldrill.agent.engines.wire.failures import (
    Asked,
    LastingError,
    PassingError,
    of_body,
    of_response,
    of_transport,
)
from tooldrill.agent.engines.wire.reply import LOOPING, ServedReply, read_choice
from tooldrill.agent.engines.wire.stream import DONE, Pieces, StreamedReply
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import EndpointSettings

_Answer = TypeVar("_Answer")
# Doubles from half a second to ten, and is never in step with other clients.
BACKOFF = tenacity.wait_exponential(multiplier=0.5, max=10.0) + tenacity.wait_random(0.0, 0.5)


class Session:
    """Requests to one server; used from one event loop.

    Args:
        url: base URL, `http://host:port/v1`.
        api_key: sent as a bearer token; the settings' variable where None.

    Raises:
        TooldrillError: when a variable that the settings name is not set, or the URL is none.
    """

    def __init__(self, url: str, settings: EndpointSettings, api_key: str | None = None) -> None:
        self._settings = settings
        self.asked = Asked(_without_password(url), "", False, settings.api_key_env)
        self._base = url.rstrip("/") + "/"
        self._client = httpx.AsyncClient(
            base_url=self._base,
            headers=_headers(settings, api_key),
            # A reply's limit is set around the whole of it; between its parts any time may pass.
            timeout=httpx.Timeout(None, connect=settings.connect_timeout),
            limits=httpx.Limits(
                max_connections=settings.parallel, max_keepalive_connections=settings.parallel
            ),
        )

    async def get(self, path: str, *, beside: bool = False) -> Any:
        """The JSON of a page about the server; None when it has no such page.

        Args:
            beside: the page stands beside the API, not in it: `/props`, not `/v1/props`.

        Raises:
            TooldrillError: when nothing answers, the key is wrong, or it is another program.
        """
        base = self._base.removesuffix("v1/") if beside else self._base
        try:
            response = await self._patiently(lambda: self._get(base + path))
        except LastingError:
            return None  # it answers; not every server has every page
        except PassingError as error:
            raise self._silent(error) from error
        try:
            return response.json()
        except ValueError as error:
            raise self._silent(of_body(response.text, "an answer that is no JSON")) from error

    async def complete(self, body: Mapping[str, Any], pieces: Pieces | None) -> ServedReply:
        """The reply to a request, after as many attempts as the settings allow.

        Args:
            pieces: takes the text as it grows, where the body asks for a stream.

        Raises:
            PassingError: when it failed every time; LastingError, UnreadReplyError, TooldrillError
                as `failures` tells them apart.
        """
        asked = replace(self.asked, model=str(body.get("model")), tools="tools" in body)
        return await self._patiently(lambda: self._once(body, asked, pieces))

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _patiently(self, send: Callable[[], Awaitable[_Answer]]) -> _Answer:
        async def attempt() -> _Answer:
            return await send()

        retrying = tenacity.AsyncRetrying(
            stop=_GivesUp(self._settings),
            wait=_pause,
            retry=tenacity.retry_if_exception_type(PassingError),
            reraise=True,
        )
        return await retrying(attempt)

    async def _get(self, url: str) -> httpx.Response:
        try:
            response = await self._client.get(url, timeout=self._settings.connect_timeout)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise self._silent(error) from error  # at the start nobody waits for it
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise _on_the_way(error, self.asked) from error
        if not response.is_success:
            status = response.status_code
            refused = of_response(status, response.headers, response.text, self.asked)
            raise LastingError(str(refused)) if status in (404, 405, 501) else refused
        return response

    async def _once(
        self, body: Mapping[str, Any], asked: Asked, pieces: Pieces | None
    ) -> ServedReply:
        # What UTF-8 cannot hold is replaced: one odd observation must not end an episode.
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        headers = {"Content-Type": "application/json"}
        limit = self._settings.timeout
        try:
            with anyio.fail_after(limit):
                async with self._client.stream(
                    "POST", "chat/completions", content=content, headers=headers
                ) as response:
                    reply = await _read(response, asked, pieces)
        except TimeoutError as error:
            raise LastingError(
                f"no whole reply within {limit:g} s (eval.endpoint.timeout)"
            ) from error
        except httpx.RequestError as error:
            raise _on_the_way(error, asked) from error
        if reply.finish == "content_filter":
            raise LastingError("the server withheld the reply (content_filter)")
        if reply.finish in ("error", "abort"):
            raise PassingError(f"the server broke the reply off ({reply.finish})")
        if pieces is not None and reply.finish != LOOPING:
            pieces.end(reply.text())
        return reply

    def _silent(self, error: Exception) -> TooldrillError:
        return TooldrillError(
            f"the endpoint {self.asked.url} does not answer: {error}",
            "start it (llama-server -m MODEL.gguf --jinja --port 8080), then give "
            "http://127.0.0.1:8080/v1",
        )


class _GivesUp:
    """When a request is not sent again: too often, or the server has been away too long."""

    def __init__(self, settings: EndpointSettings) -> None:
        self._settings = settings
        self._tries = 0
        self._away_since: float | None = None

    def __call__(self, state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, PassingError) and error.away:
            now = time.monotonic()
            self._away_since = self._away_since if self._away_since is not None else now
            return now - self._away_since >= self._settings.patience
        self._away_since = None
        self._tries += 1
        return self._tries > self._settings.retries


async def _read(response: httpx.Response, asked: Asked, pieces: Pieces | None) -> ServedReply:
    if not response.is_success:
        text = (await response.aread()).decode("utf-8", "replace")
        raise of_response(response.status_code, response.headers, text, asked)
    if "text/event-stream" in response.headers.get("content-type", ""):
        return await _read_stream(response, asked, pieces)
    text = (await response.aread()).decode("utf-8", "replace")
    body = _json(text, response.headers, asked)
    try:
        return read_choice(body)
    except ValueError as error:
        raise of_body(text, str(error)) from error


async def _read_stream(
    response: httpx.Response, asked: Asked, pieces: Pieces | None
) -> ServedReply:
    streamed = StreamedReply()
    async for event in EventSource(response).aiter_sse():
        if event.data == DONE:
            break
        if not event.data:
            continue
        streamed.take(_json(event.data, response.headers, asked))
        if pieces is not None and pieces.grow(streamed.reply.text(growing=True)):
            streamed.reply.finish = LOOPING
            break
    if not streamed.finished:
        raise PassingError("the stream ended before the reply did")
    return streamed.reply


def _json(text: str, headers: httpx.Headers, asked: Asked) -> dict[str, Any]:
    """An object of the API; an error inside it counts as one with a status of its own."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise of_body(text, "an answer that is no JSON") from error
    if not isinstance(value, dict):
        raise of_body(text, "an answer that is no object")
    failed = value.get("error")
    if failed:
        code = failed.get("code") if isinstance(failed, dict) else None
        raise of_response(code if isinstance(code, int) else 500, headers, text, asked)
    return value


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds until the next attempt: at least what the server asks for, and never in step."""
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.wait if isinstance(error, PassingError) else 0.0
    return max(BACKOFF(state), asked)


def _on_the_way(error: Exception, asked: Asked) -> Exception:
    if isinstance(error, httpx.TransportError):
        return of_transport(error, asked)
    if isinstance(error, httpx.InvalidURL):
        return TooldrillError(f"{asked.url} is no URL: {error}", "give http://HOST:PORT/v1")
    return PassingError(f"{type(error).__name__}: {error}")


def _headers(settings: EndpointSettings, api_key: str | None) -> dict[str, str]:
    key = api_key
    if key is None and settings.api_key_env is not None:
        key = _variable(settings.api_key_env)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return headers | {name: _variable(var) for name, var in settings.headers_env.items()}


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise TooldrillError(
            f"the variable {name}, named in the endpoint's settings, is not set",
            f"export {name}=..., then run the same command",
        )
    return value


def _without_password(url: str) -> str:
    """The URL as it may be shown and stored."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise TooldrillError(f"{url!r} is no URL: {error}", "give http://HOST:PORT/v1") from error
    return str(parsed.copy_with(username=None, password=None)) if parsed.userinfo else url
