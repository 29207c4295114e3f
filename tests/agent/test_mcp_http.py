"""`mcp:http://...` against a real server of the official SDK, and against what is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tooldrill.agent.environment import Observation
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.limits.opening import describe_limits, limited_environment
from tooldrill.agent.limits.settings import ToolLimits
from tooldrill.agent.mcp.environment import McpEnvironment
from tooldrill.agent.mcp.over_http import KEY_VARIABLE, open_mcp_over_http
from tooldrill.agent.sources.catalog import load_source

SERVER = '''
"""A server over HTTP that notes in a file who came and who left, and can want a key."""
import os
import socket
import sys

import anyio
import uvicorn
from mcp import types
from mcp.server.lowlevel import Server

NOTE, MOOD = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
BARE = {"type": "object", "properties": {}}
TOOLS = {"echo": SCHEMA, "refuse": BARE, "hang": BARE, "die": BARE, "long": BARE, "endless": BARE}


async def list_tools(context, params):
    reads = types.ToolAnnotations(read_only_hint=True)
    tools = [
        types.Tool(name=name, description=f"Tool {name}.", input_schema=schema,
                   annotations=reads if name == "echo" else None)
        for name, schema in TOOLS.items()
    ]
    return types.ListToolsResult(tools=[] if MOOD == "none" else tools)


async def call_tool(context, params):
    name, arguments = params.name, params.arguments or {}
    said, error = "", False
    if name == "echo":
        said = arguments["text"]
    elif name == "refuse":
        said, error = "not today", True
    elif name == "hang":
        await anyio.sleep(600)
    elif name == "die":
        os._exit(3)
    elif name == "long":
        said = "x" * 900_000
    elif name == "endless":
        said = "x" * 20_000_000
    return types.CallToolResult(content=[types.TextContent(text=said)], is_error=error)


inner = Server("s", on_list_tools=list_tools, on_call_tool=call_tool).streamable_http_app(
    json_response=MOOD == "json"
)


async def app(scope, receive, send):
    if scope["type"] == "http":
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        with open(NOTE, "a") as file:
            file.write(scope["method"] + "\\n")
        if MOOD == "key" and headers.get("authorization") != "Bearer sesame":
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"who are you?"})
            return
    await inner(scope, receive, send)


taken = socket.create_server(("127.0.0.1", int(sys.argv[3]) if len(sys.argv) > 3 else 0))
print(taken.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[taken])
'''


class Running:
    """The server's process."""

    def __init__(self, folder: Path, mood: str = "", port: int = 0) -> None:
        self.note = folder / "note"
        script = folder / "server.py"
        script.write_text(SERVER)
        self._process = subprocess.Popen(
            [sys.executable, str(script), str(self.note), mood, str(port)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}/mcp"

    @property
    def methods(self) -> list[str]:
        """Of the requests so far."""
        return self.note.read_text().split() if self.note.is_file() else []

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(mood: str = "", port: int = 0) -> Running:
        running.append(Running(tmp_path, mood, port))
        return running[-1]

    yield begin
    for one in running:
        one.stop()


@contextmanager
def answering(
    status: int, body: bytes, kind: str = "text/html", length: bool = True
) -> Iterator[str]:
    """The address of something on HTTP that is no MCP server."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) + (not length)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/mcp"
    server.shutdown()
    server.server_close()


def error_of(url: str, seconds: float = 20.0) -> TooldrillError:
    with pytest.raises(TooldrillError) as caught, open_mcp_over_http(url, start_seconds=seconds):
        pass
    assert "\n" not in caught.value.message
    assert caught.value.next_step
    return caught.value


def checked_calls(server: McpEnvironment) -> None:
    assert server.call("echo", {"text": "a é 🙂"}) == Observation("a é 🙂")
    assert server.call("refuse", {}) == Observation("ERROR: not today", error=True)
    assert server.call("long", {}) == Observation("x" * 900_000)
    hung = server.call("hang", {})
    assert hung == Observation("ERROR: hang: no answer within 1 s", error=True)
    endless = server.call("endless", {})
    assert endless.error and len(endless.text) < 300
    assert server.call("echo", {"text": "still here"}).text == "still here"


@pytest.mark.parametrize("mood", ["", "json"])
def test_tools_are_listed_and_calls_carried_out(start: Callable[..., Running], mood: str) -> None:
    server = start(mood)
    with open_mcp_over_http(server.url, call_seconds=1.0) as environment:
        names = environment.registry.names
        assert names == ("echo", "refuse", "hang", "die", "long", "endless")
        assert [tool.writes for tool in environment.registry][:2] == [False, None]
        checked_calls(environment)
        assert "DELETE" not in server.methods
    assert server.methods[-1] == "DELETE"  # the session is closed


def test_as_a_source(start: Callable[..., Running]) -> None:
    assert "echo" in load_source(f"mcp:{start().url}").names


def test_a_server_that_goes_and_comes_back(start: Callable[..., Running]) -> None:
    server = start()
    with open_mcp_over_http(server.url, call_seconds=5.0) as environment:
        died = environment.call("die", {})
        assert died.error and died.text.startswith("ERROR: die: the MCP server ")
        server.stop()
        gone = environment.call("echo", {"text": "x"})
        expected = "ERROR: echo: the MCP server cannot be reached: connection refused"
        assert gone == Observation(expected, error=True)
        start(port=server.port)
        # It has forgotten the session, and says so; nothing hangs.
        assert environment.call("echo", {"text": "x"}).error


def test_nothing_answers_there() -> None:
    error = error_of("http://127.0.0.1:9/mcp")
    expected = "MCP server 'http://127.0.0.1:9/mcp' cannot be reached: connection refused"
    assert error.message == expected
    assert error.next_step == "start it, or check its address: mcp:http://HOST:PORT/mcp"


def test_a_host_that_is_none_and_an_address_that_is_none() -> None:
    assert "cannot be reached: " in error_of("http://no-such-host.invalid/mcp").message
    for url in ("http://", "http:///mcp", "http://x:y/mcp"):
        error = error_of(url)
        assert f"mcp:{url} is no address" in error.message
        assert error.next_step == "give mcp:http://HOST:PORT/mcp"


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (404, b"nothing here", "text/plain", "speaks no MCP: it answers 404 Not Found"),
        (405, b"", "text/plain", "speaks no MCP: it answers 405 Method Not Allowed"),
        (500, b'{"error": "x"}', "application/json", "speaks no MCP: it answers 500"),
        (200, b"<html>Welcome</html>", "text/html", "speaks no MCP: it answers with text/html"),
        (200, b'{"welcome": 1}', "application/json", "speaks no MCP: it answers with application"),
        (200, b"\xff\xfe", "application/json", "speaks no MCP: it answers with application/json"),
        (403, b"no", "text/plain", "wants another key: it answers 403 Forbidden"),
    ],
)
def test_what_is_no_mcp_server(status: int, body: bytes, kind: str, said: str) -> None:
    with answering(status, body, kind) as url:
        assert said in error_of(url).message


def test_an_answer_that_breaks_off_and_one_without_end() -> None:
    with answering(200, b'{"jsonrpc"', "application/json", length=False) as url:
        assert "cannot be reached: " in error_of(url).message
    with answering(200, b" " * (17 * 2**20), "application/json") as url:
        assert "gives an answer of more than 16777216 bytes" in error_of(url).message


def test_a_server_that_never_answers() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        error = error_of(f"http://127.0.0.1:{silent.getsockname()[1]}/mcp", seconds=0.5)
        assert "has not listed its tools within 0.5 s" in error.message
        assert time.monotonic() - started < 15


def test_a_key_is_sent_where_one_is_set(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = start("key").url
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    error = error_of(url)
    assert "wants another key: it answers 401 Unauthorized" in error.message
    assert KEY_VARIABLE in error.next_step
    monkeypatch.setenv(KEY_VARIABLE, "sesame")
    with open_mcp_over_http(url) as environment:
        assert environment.call("echo", {"text": "open"}).text == "open"


def test_a_server_without_tools(start: Callable[..., Running]) -> None:
    assert "offers no tools" in error_of(start("none").url).message


def test_passwords_are_not_shown() -> None:
    error = error_of("http://me:secret@127.0.0.1:9/mcp")
    assert "secret" not in error.message and "127.0.0.1:9" in error.message


def test_the_network_has_to_be_allowed(start: Callable[..., Running], tmp_path: Path) -> None:
    url = start().url
    source = f"mcp:{url}"
    limits = ToolLimits(workspace=tmp_path, output_chars=1000)
    with pytest.raises(TooldrillError) as caught, limited_environment(source, limits):
        pass
    assert caught.value.message == (
        f"the tools at {url} are reached over the network, which tools may not use"
    )
    assert caught.value.next_step.startswith("add --allow-network")
    allowed = limits.model_copy(update={"allow_network": True})
    assert "out of reach of any limit but time" in describe_limits(source, allowed)
    with limited_environment(source, allowed) as (registry, environment):
        assert "echo" in registry
        long = environment.call("long", {})
        assert not long.error and long.text.count("x") == 1000
        assert "[... 899000 characters left out ...]" in long.text


def test_on_the_command_line(start: Callable[..., Running]) -> None:
    code = "import sys; from tooldrill.cli.main import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, "tools", f"mcp:{start().url}", "--json"],
        capture_output=True, text=True, check=False, env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    names = [tool["function"]["name"] for tool in json.loads(done.stdout)]
    assert names == ["echo", "refuse", "hang", "die", "long", "endless"]
    assert "Traceback" not in done.stderr
