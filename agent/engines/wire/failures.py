"""Whose failure it is when a server does not give a reply: the way's, the set-up's, or the model's.

What may pass is tried again; what will meet every request ends the run; what concerns one request
fails one episode. A reply that the server could not read is the model's doing, and no failure.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from tooldrill.agent.constrain.grammar import GrammarError
from tooldrill.agent.errors import TooldrillError

_LONGEST_PAUSE = 60.0  # seconds, whatever the server asks for
_LONGEST_REASON = 300  # characters of a server's own words
_PASSING = frozenset({408, 425, 429})  # and all from 500 on
# llama-server: its parser stopped at what the model wrote (common/chat.cpp).
_UNREAD = re.compile(
    r"model produced output that does not match|^Invalid diff|^Failed to parse (?:input|tool call)",
    re.IGNORECASE,
)
_UNREAD_TEXT = re.compile(r"\AFailed to parse input at pos \d+: (.*)\Z", re.DOTALL)
_BAD_GRAMMAR = re.compile(r"failed to parse grammar", re.IGNORECASE)
_NO_TOKEN = re.compile(r"empty grammar stack", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"context.{0,20}(?:size|length|window)|maximum.{0,20}context|too many tokens|"
    r"prompt is too long",
    re.IGNORECASE,
)
_NO_TOOLS = re.compile(
    r"requires --jinja|does not support tools|enable-auto-tool-choice|"
    r"tool(?:s| use| calling| choice)? (?:is|are) not supported",
    re.IGNORECASE,
)
# Chat templates; mistral-common; Gemma's template.
_ROLES = re.compile(
    r"roles? must alternate|unexpected role|role not supported|roles are supported", re.IGNORECASE
)
_NO_MODEL = re.compile(r"model\b.{0,200}\b(?:not found|does not exist|not exist)", re.IGNORECASE)
_NO_MONEY = re.compile(r"insufficient_quota|credit balance|billing", re.IGNORECASE)


class PassingError(Exception):
    """The same request may succeed a moment later.

    Args:
        wait: seconds that the server asks for.
        away: nothing listens there, or the model is still being loaded.
    """

    def __init__(self, reason: str, *, wait: float = 0.0, away: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.away = away


class LastingError(Exception):
    """This request gets no reply however often it is sent; others may."""

    @property
    def of_roles(self) -> bool:
        """Whether the model's template refuses who speaks after whom."""
        return _ROLES.search(str(self)) is not None


class UnreadReplyError(Exception):
    """The model's reply could not be read by the server.

    Attributes:
        text: what the server's message holds of the reply; newer ones hold nothing.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__("the server could not read the model's reply")
        self.text = text


@dataclass(frozen=True)
class Asked:
    """What was asked of whom, for messages."""

    url: str
    model: str
    tools: bool
    key_variable: str | None


def of_transport(error: httpx.TransportError, asked: Asked) -> Exception:
    """What a failure on the way means."""
    reason = f"{type(error).__name__}: {error}".removesuffix(": ")
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return TooldrillError(f"{asked.url}: {error}", "give http://HOST:PORT/v1")
    return PassingError(reason, away=isinstance(error, httpx.ConnectError | httpx.ConnectTimeout))


def of_response(status: int, headers: httpx.Headers, body: str, asked: Asked) -> Exception:
    """What an answer that is no reply means.

    Args:
        status: the HTTP status, or the code inside an error sent with status 200.
        body: as it came; JSON with an `error` where the server keeps to the API.

    Returns:
        `PassingError`, `LastingError`, `UnreadReplyError`, or a `TooldrillError` that ends the run.
    """
    message, kind = _error_of(body)
    reason = f"HTTP {status}: {_shortened(message) or _phrase(status)}"
    if _UNREAD.search(message):
        held = _UNREAD_TEXT.match(message)
        return UnreadReplyError(held[1] if held else "")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        there = re.sub(r"/(?:chat/completions|models)\Z", "", headers.get("location", ""))
        return TooldrillError(f"{asked.url} sends us on: {reason}", f"give its URL: {there}")
    if _BAD_GRAMMAR.search(message):
        step = "the GGUF in process tells which tool is at fault; or set eval.loop.constrain=off"
        return GrammarError(f"{asked.url} refused the grammar: {reason}", step)
    if _NO_TOKEN.search(message):
        return LastingError("the grammar allows no token of the model's vocabulary")
    if "exceed_context" in kind or (status in (400, 413) and _TOO_LONG.search(message)):
        return LastingError(reason)
    ends = _ends_the_run(status, message, kind, asked)
    if ends is not None:
        return TooldrillError(f"{asked.url} refused: {reason}", ends)
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        away = status == HTTPStatus.SERVICE_UNAVAILABLE and "load" in message.lower()
        return PassingError(reason, wait=seconds_asked_for(headers), away=away)
    return LastingError(reason)


def of_body(body: str, reason: str) -> PassingError:
    """An answer with status 200 that is not what the API says: cut short, or another program's."""
    return PassingError(f"{reason}: {_shortened(body) or 'an empty body'}")


def seconds_asked_for(headers: httpx.Headers) -> float:
    """What `Retry-After` says, in seconds or as a date (RFC 9110 section 10.2.3); at most 60."""
    asked = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", asked):
        seconds = float(asked)
    else:
        try:
            seconds = parsedate_to_datetime(asked).timestamp() - time.time()
        except ValueError:
            return 0.0
    return min(max(seconds, 0.0), _LONGEST_PAUSE)


def _ends_the_run(status: int, message: str, kind: str, asked: Asked) -> str | None:
    """The next step where every other request would be refused as well."""
    if status in (401, 403):
        name = asked.key_variable or "NAME"
        return f"put the key into a variable, {name}=KEY, and set eval.endpoint.api_key_env={name}"
    if status == HTTPStatus.PAYMENT_REQUIRED or _NO_MONEY.search(f"{kind} {message}"):
        return "the account is empty: top it up, then run the same command to go on"
    if asked.tools and _NO_TOOLS.search(message):
        return (
            "start the server with tool calls (llama-server --jinja; vLLM "
            "--enable-auto-tool-choice --tool-call-parser NAME), or ask in text: "
            "eval.loop.protocol=react_json"
        )
    unknown = status == HTTPStatus.BAD_REQUEST and _NO_MODEL.search(message)
    if status == HTTPStatus.NOT_FOUND or unknown:
        return f"see {asked.url}/models for the models there are; the URL mostly ends with /v1"
    if status in (405, 501):
        return "give the base URL of a chat server: http://HOST:PORT/v1"
    return None


def _error_of(body: str) -> tuple[str, str]:
    """The message and the type (or code) of an error; the text itself where it is no JSON."""
    try:
        value: Any = json.loads(body)
    except ValueError:
        # A page of a proxy says no more than its status.
        return "" if body.lstrip().startswith("<") else _shortened(body), ""
    error = value.get("error", value) if isinstance(value, dict) else value
    if not isinstance(error, dict):
        return _whole(error), ""
    kind = " ".join(str(error.get(key)) for key in ("type", "code") if error.get(key))
    message = error.get("message") or error.get("detail") or error
    return _whole(message), kind


def _whole(value: Any) -> str:
    return value if isinstance(value, str) else _shortened(json.dumps(value, ensure_ascii=False))


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 3] + "..."


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"
