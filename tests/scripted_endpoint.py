"""A real HTTP server for tests that answers as it is told, faults of the way included.

Each answer is a function of the handler; they are taken in turn, the last one again and again.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tenacity import wait_fixed

from tooldrill.agent.engines.wire import session

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Scripted:
    """What the server was told and what it was asked.

    Attributes:
        answers: to chat requests.
        pages: the JSON of other paths; a path that is missing is 404.
        requests: bodies of the chat requests, in order; times: when they came.
        dropped: set when a client has gone before its answer was whole.
    """

    answers: list[Answer] = field(default_factory=list)
    pages: dict[str, Any] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    clients: set[tuple[str, int]] = field(default_factory=set)
    dropped: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def next_answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


MODELS = {"data": [{"id": "some-model"}]}
LLAMA_MODELS = {"data": [{"id": "/models/tiny-Q8_0.gguf", "owned_by": "llamacpp"}]}


@contextmanager
def short_pauses() -> Iterator[None]:
    """Inside, a request is sent again almost at once."""
    usual = session.BACKOFF
    session.BACKOFF = wait_fixed(0.02)
    try:
        yield
    finally:
        session.BACKOFF = usual


@contextmanager
def serve(*answers: Answer, pages: dict[str, Any] | None = None) -> Iterator[Scripted]:
    """Runs the server; `pages` has `/v1/models` if not given."""
    scripted = Scripted(list(answers), {"/v1/models": MODELS} | (pages or {}))
    lock = threading.Lock()
    connections: list[socket.socket] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            connections.append(self.connection)

        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            page = scripted.pages.get(self.path)
            if callable(page):
                page(self)
            elif page is None:
                write_json(self, 404, {"error": {"message": "File Not Found"}})
            else:
                write_json(self, 200, page)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                scripted.requests.append(body)
                scripted.headers.append(dict(self.headers))
                scripted.times.append(time.monotonic())
                scripted.clients.add(self.client_address)
                answer = scripted.next_answer()
            try:
                answer(self)
            except (BrokenPipeError, ConnectionResetError):
                scripted.dropped.set()
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    scripted.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield scripted
    finally:
        server.shutdown()
        server.server_close()
        for connection in connections:
            with suppress(OSError):  # gone already
                connection.shutdown(socket.SHUT_RDWR)


def write_json(
    handler: BaseHTTPRequestHandler, status: int, body: Any, headers: dict[str, str] | None = None
) -> None:
    """An answer whose body is JSON, or a text as it is."""
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def reply(finish: str = "stop", usage: Any = None, **message: Any) -> Answer:
    """A chat completion with that message."""
    body = {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}
    return lambda handler: write_json(handler, 200, body)


def error(status: int, message: str, headers: dict[str, str] | None = None, **more: Any) -> Answer:
    """A refusal in the API's form."""
    body = {"error": {"message": message, **more}}
    return lambda handler: write_json(handler, status, body, headers)


def text(status: int, body: str) -> Answer:
    """Any text, as JSON or not."""
    return lambda handler: write_json(handler, status, body)


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Closes the connection without a word."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    handler.close_connection = True


def cut(handler: BaseHTTPRequestHandler) -> None:
    """Promises a body and closes in the middle of it."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [{"message": {"content": "hal')
    handler.wfile.flush()
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def stream(chunks: Sequence[Any], pause: float = 0.0, done: bool = True) -> Answer:
    """Server-sent events: a chunk each; a string is sent as it is."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        for chunk in chunks:
            line = chunk if isinstance(chunk, str) else f"data: {_dumped(chunk)}\n\n"
            handler.wfile.write(line.encode())
            handler.wfile.flush()
            time.sleep(pause)
        if done:
            handler.wfile.write(b"data: [DONE]\n\n")

    return answer


def delta(finish: str | None = None, **pieces: Any) -> dict[str, Any]:
    """One chunk of a stream."""
    return {"choices": [{"index": 0, "delta": pieces, "finish_reason": finish}]}


def piece(
    index: int | None, arguments: str | None = None, name: str | None = None, id_: str | None = None
) -> dict[str, Any]:
    """A chunk with one piece of a call."""
    function = {"name": name, "arguments": arguments}
    item = {"index": index, "id": id_, "function": {k: v for k, v in function.items() if v}}
    return delta(tool_calls=[{k: v for k, v in item.items() if v is not None}])


def _dumped(chunk: Any) -> str:
    # As llama-server writes it: what other programs take for line ends stands as it is.
    return json.dumps(chunk, ensure_ascii=False)
