"""Any OpenAI-compatible server (llama-server, vLLM, Ollama, LM Studio) as an engine.

Requests run on an event loop in a thread of its own; `on_text` is called in the caller's thread,
inside `collect`. What the way or the server fails at is a failure, what the model wrote never is:
`wire.failures` tells them apart.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from anyio.from_thread import start_blocking_portal

from tooldrill.agent.engines.base import EngineAwayError, EngineInfo, Generation, Turn
from tooldrill.agent.engines.wire import raw
from tooldrill.agent.engines.wire.failures import LastingError, PassingError, UnreadReplyError
from tooldrill.agent.engines.wire.reply import ServedReply
from tooldrill.agent.engines.wire.request import Memory, request_body
from tooldrill.agent.engines.wire.server import (
    LLAMA_SERVER,
    ServedModel,
    choose_model,
    describe,
    read_models,
)
from tooldrill.agent.engines.wire.session import Session
from tooldrill.agent.engines.wire.stream import Pieces
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.protocols.dialects.catalog import HERMES
from tooldrill.agent.settings import EndpointSettings, ProtocolName
from tooldrill.agent.template_form import FOLDS, Fold


@dataclass(eq=False)
class _Asked:
    """A turn under way."""

    turn: Turn
    future: Future[None] = field(init=False)


class EndpointEngine:
    """Replies from a server.

    Args:
        url: base URL, `http://host:port/v1`.
        model: model name sent along; the server's only or first one when None.
        settings: requests at once, limits, retries, key, who reads the calls.
        api_key: sent as a bearer token, in the place of the settings' variable.

    Attributes:
        server: what the server told of itself (`wire.server.describe`), and who reads the calls.
        model: the model asked for; its `short_name` is what reports call it.

    Raises:
        TooldrillError: when the server does not answer, refuses the key, or has no such model.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        settings: EndpointSettings | None = None,
        *,
        api_key: str | None = None,
    ) -> None:
        self._settings = settings or EndpointSettings()
        self._session = Session(url, self._settings, api_key)
        self._events: SimpleQueue[tuple[_Asked, str | Generation | Exception]] = SimpleQueue()
        self._running: dict[str, _Asked] = {}
        self._memories: dict[str, Memory] = {}
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal(name="endpoint"))
            stack.callback(self._portal.call, self._session.close)
            self.model, props = self._portal.call(self._introduce, model)
            self._is_llama_server = self.model.program == LLAMA_SERVER
            self._template = raw.served_template(props)
            self._tools_known = raw.knows_tools(props)
            self._raw = self._reads_raw()
            self._stack = stack.pop_all()
        self.server = describe(self.model, props) | {"calls": "raw" if self._raw else "server"}
        self.info = EngineInfo(
            kind="endpoint",
            model=self.model.id,
            source=self._session.asked.url,
            settings=self._settings.model_dump() | {"server": self.server},
        )

    @property
    def slots(self) -> int:
        # What llama-server has no slot for waits there, while its time limit runs.
        served = self.server.get("slots")
        parallel = self._settings.parallel
        return min(parallel, served) if isinstance(served, int) and served > 0 else parallel

    def protocol(self, name: ProtocolName) -> CallProtocol:
        if name == "native" and not self._tools_known:
            raise TooldrillError(
                f"the chat template of {self.model.id} knows no tools: they would not be shown",
                "start the server with one that does (--chat-template-file FILE), or ask in text: "
                "eval.loop.protocol=react_json",
            )
        if self._raw and self._template is not None:
            return self._template.protocol(name)
        # The server has read the model's dialect; what it read is written down in Hermes'.
        return get_protocol(name, HERMES)

    def cannot_constrain(self, protocol: CallProtocol, /) -> str | None:
        if not self._is_llama_server:
            return f"{self._session.asked.url} is no llama-server, which alone takes a grammar"
        if protocol.name == "native" and not self._raw:
            return "llama-server takes no grammar beside its own for calls (eval.endpoint.calls)"
        return None

    def submit(self, turn: Turn) -> None:
        if turn.key in self._running:
            raise RuntimeError(f"a turn of {turn.key} is under way already")
        asked = self._running[turn.key] = _Asked(turn)
        asked.future = self._portal.start_task_soon(self._answer, asked)

    def collect(self) -> list[tuple[str, Generation]]:
        finished: list[tuple[str, Generation]] = []
        while self._running and (not finished or not self._events.empty()):
            asked, event = self._events.get()
            turn = asked.turn
            if self._running.get(turn.key) is not asked:
                continue  # given up meanwhile
            if isinstance(event, str):
                if turn.on_text is not None:
                    turn.on_text(event)
                continue
            del self._running[turn.key]
            if isinstance(event, Exception):
                raise event
            finished.append((turn.key, event))
        return finished

    def release(self, key: str) -> None:
        self._memories.pop(key, None)
        asked = self._running.pop(key, None)
        if asked is not None:
            asked.future.cancel()  # closes its connection, at which the server stops generating

    def close(self) -> None:
        for key in list(self._running):
            self.release(key)
        self._stack.close()

    async def _introduce(self, wanted: str | None) -> tuple[ServedModel, Mapping[str, Any]]:
        models = read_models(await self._session.get("models"))
        model = choose_model(wanted, models, self._session.asked.url)
        props: Any = {}
        if model.program == LLAMA_SERVER:
            props = await self._session.get("props", beside=True)
        return model, props if isinstance(props, dict) else {}

    def _reads_raw(self) -> bool:
        wanted = self._settings.calls
        if wanted == "server":
            return False
        if self._template is None and wanted == "raw":
            raise TooldrillError(
                f"{self._session.asked.url} does not give replies as written: only llama-server "
                "does, and tells its template",
                "set eval.endpoint.calls=server",
            )
        if self._template is None:
            return False
        return wanted == "raw" or raw.writes_readable_calls(self._template)

    async def _answer(self, asked: _Asked) -> None:
        started = time.perf_counter()
        result: Generation | Exception
        try:
            reply = await self._reply(asked)
            result = Generation(
                text=reply.text(),
                prompt_tokens=reply.count("prompt_tokens"),
                cached_tokens=reply.count("prompt_tokens_details", "cached_tokens"),
                reply_tokens=reply.count("completion_tokens"),
                stop=reply.stop,
                seconds=time.perf_counter() - started,
            )
        except LastingError as error:
            result = Generation(failure=str(error))
        except PassingError as error:
            result = self._away(error) if error.away else Generation(failure=str(error))
        except Exception as error:  # raised again in the caller's thread, by `collect`
            result = error
        self._events.put((asked, result))

    async def _reply(self, asked: _Asked) -> ServedReply:
        turn = asked.turn
        memory = self._memories.setdefault(turn.key, Memory())
        pieces = self._pieces(asked)
        try:
            reply = await self._complete(turn, memory, pieces, unread=self._raw)
        except UnreadReplyError as error:
            reply = await self._as_written(turn, memory, error)
            if pieces is not None:
                pieces.end(reply.text())
        memory.thinking_field = reply.thinking_field or memory.thinking_field
        if reply.calls and all(call.id for call in reply.calls):
            memory.ids[len(turn.messages)] = [call.id for call in reply.calls]
        return reply

    async def _complete(
        self, turn: Turn, memory: Memory, pieces: Pieces | None, *, unread: bool
    ) -> ServedReply:
        """The reply, to a conversation in the turns that the model's template takes."""
        folds = self._folds(turn)
        while True:
            fold = next(folds)
            body = self._body(turn, memory, fold, unread=unread, stream=pieces is not None)
            try:
                return await self._session.complete(body, pieces)
            except LastingError as error:
                if not error.of_roles or fold is FOLDS[-1] or self._template is not None:
                    raise

    def _folds(self, turn: Turn) -> Iterator[Fold]:
        """The one that the template takes; all of them where the template is not known."""
        if self._template is None:
            yield from FOLDS
            return
        try:
            yield self._template.fold_of(*turn.protocol.to_chat(turn.messages, turn.tools))
        except TooldrillError:
            yield FOLDS[0]  # the server says why

    async def _as_written(self, turn: Turn, memory: Memory, error: UnreadReplyError) -> ServedReply:
        """The reply that the server could not read, and therefore dropped, as the model wrote it.

        It is asked for once more, unread: the same prompt and seed make the same reply.
        """
        try:
            reply = await self._complete(turn, memory, None, unread=True)
        except (LastingError, UnreadReplyError):
            return ServedReply(content=error.text)
        if self._template is not None and turn.protocol.name == "native" and not self._raw:
            reply.content = raw.in_hermes(reply.content, self._template)
        return reply

    def _pieces(self, asked: _Asked) -> Pieces | None:
        """What takes the text as it grows; None where nobody wants to see it before its end."""
        turn = asked.turn
        if turn.on_text is None and turn.watch is None:
            return None

        def give(piece: str) -> bool:
            self._events.put((asked, piece))
            return turn.watch is not None and turn.watch(piece)

        return Pieces(give)

    def _body(
        self, turn: Turn, memory: Memory, fold: Fold, *, unread: bool, stream: bool
    ) -> dict[str, Any]:
        extra = dict(self._settings.body)
        if turn.grammar is not None:
            reason = self.cannot_constrain(turn.protocol)
            if reason is not None:
                raise TooldrillError(reason, "set eval.loop.constrain=off")
            extra["grammar"] = raw.grammar_text(turn, self._template)
        if stream and self._is_llama_server:
            extra.setdefault("timings_per_token", True)
        return request_body(turn, self.model, memory, extra, raw=unread, stream=stream, fold=fold)

    def _away(self, error: PassingError) -> EngineAwayError:
        return EngineAwayError(
            f"the endpoint {self._session.asked.url} has been away for "
            f"{self._settings.patience:g} s: {error}",
            "start it again, then run the same command: it goes on where it stopped",
        )
