"""`mcp:` sources against real server processes: tools, calls, what goes wrong, and no remains."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tooldrill.agent.environment import Observation
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.mcp.environment import McpEnvironment
from tooldrill.agent.mcp.server import open_mcp
from tooldrill.agent.sources.mcp import mcp_registry
from tooldrill.agent.tool import Registry
from tooldrill.sources import open_environment

SERVER = '''
"""A server whose tools come in pages of two, and which can be told to misbehave."""
import os
import sys

import anyio
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

MOOD = sys.argv[1] if len(sys.argv) > 1 else ""
NAMES = ["echo", "refuse", "table", "picture", "notes", "hang", "die", "environment"]
PAGE = 2
if MOOD == "twice":
    NAMES.append("echo")
if MOOD == "none":
    NAMES = []
if MOOD == "banner":
    print("Server ready!", flush=True)


def schema(name):
    if name == "echo":
        return {
            "type": "object",
            "properties": {"text": {"type": "string"}, "times": {"type": "integer", "default": 1}},
            "required": ["text"],
        }
    return {"type": "object", "properties": {}}


async def list_tools(context, params):
    at = int(params.cursor or 0) if params else 0
    end = at + PAGE
    cursor = str(end) if end < len(NAMES) else None
    if MOOD == "circle":
        cursor = "2"
    tools = [
        types.Tool(name=name, description=f"Tool {name}.", input_schema=schema(name))
        for name in NAMES[at:end]
    ]
    return types.ListToolsResult(tools=tools, next_cursor=cursor)


async def call_tool(context, params):
    name, arguments = params.name, params.arguments or {}
    text = types.TextContent
    content, structured, error = [], None, False
    if name == "echo":
        content = [text(text=arguments["text"])] * arguments.get("times", 1)
    elif name == "refuse":
        content, error = [text(text="not today")], True
    elif name == "table":
        structured = {"rows": [1, 2], "name": "é"}
    elif name == "picture":
        image = types.ImageContent(data="AAAA", mime_type="image/png")
        content = [text(text="See:"), image]
    elif name == "notes":
        note = types.TextResourceContents(uri="note://1", text="remember")
        link = types.ResourceLink(name="more", uri="note://2")
        content = [types.EmbeddedResource(resource=note), link]
    elif name == "hang":
        await anyio.sleep(600)
    elif name == "die":
        print("first line\\nout of patience", file=sys.stderr, flush=True)
        os._exit(3)
    elif name == "environment":
        content = [text(text=os.environ["TOOLDRILL_TEST_WORD"])]
    else:
        raise ValueError(f"what is {name}?")
    return types.CallToolResult(content=content, structured_content=structured, is_error=error)


async def main():
    server = Server("moody", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


anyio.run(main)
'''


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


@pytest.fixture(autouse=True)
def _no_child_is_left() -> Iterator[None]:
    before = set(children())
    yield
    assert set(children()) - before == set()


@pytest.fixture
def command(tmp_path: Path) -> str:
    path = tmp_path / "moody server.py"
    path.write_text(SERVER)
    return f"{sys.executable} {shlex.quote(str(path))}"


@pytest.fixture
def server(command: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[McpEnvironment]:
    monkeypatch.setenv("TOOLDRILL_TEST_WORD", "inherited")
    with open_mcp(command, call_seconds=1.0) as environment:
        yield environment


def error_of(command: str, seconds: float = 20.0) -> TooldrillError:
    with pytest.raises(TooldrillError) as caught, open_mcp(command, start_seconds=seconds):
        pass
    assert "\n" not in caught.value.message
    assert caught.value.next_step
    return caught.value


def test_tools_are_listed_over_all_pages(command: str, tmp_path: Path) -> None:
    registry = mcp_registry(command)
    assert registry.names == (
        *("echo", "refuse", "table", "picture"),
        *("notes", "hang", "die", "environment"),
    )
    echo = registry["echo"]
    assert echo.description == "Tool echo."
    assert [(p.name, p.required) for p in echo.parameters] == [("text", True), ("times", False)]
    registry.save(tmp_path / "tools.json")
    saved = json.loads((tmp_path / "tools.json").read_text("utf-8"))
    assert Registry.from_openai(saved) == registry


def test_calls_are_carried_out(server: McpEnvironment) -> None:
    assert server.call("echo", {"text": "a b", "times": 2}) == Observation("a b\na b")
    assert server.call("refuse", {}) == Observation("ERROR: not today", error=True)
    table = server.call("table", {})
    assert json.loads(table.text) == {"rows": [1, 2], "name": "é"}
    assert "é" in table.text
    assert server.call("picture", {}).text == "See:\n[image: image/png, about 3 bytes]"
    assert server.call("notes", {}).text == (
        "[resource: note://1]\nremember\n[resource: more, note://2]"
    )
    assert server.call("environment", {}).text == "inherited"
    assert server.call("echo", {"text": "ERROR: said"}).error
    assert server.call("echo", {"text": ""}) == Observation("(no output)")
    assert server.call("nonsense", {}).error


def test_a_call_that_hangs_is_given_up_and_the_next_is_answered(server: McpEnvironment) -> None:
    hung = server.call("hang", {})
    assert hung == Observation("ERROR: hang: no answer within 1 s", error=True)
    assert server.call("echo", {"text": "still here"}).text == "still here"


def test_a_server_that_dies_is_told_with_its_last_words(server: McpEnvironment) -> None:
    expected = "the MCP server has ended: out of patience"
    assert server.call("die", {}) == Observation(f"ERROR: die: {expected}", error=True)
    assert server.call("echo", {"text": "x"}).text == f"ERROR: echo: {expected}"


def test_as_an_environment_of_the_command_line(command: str) -> None:
    with open_environment(f"mcp:{command}") as (registry, environment):
        assert "echo" in registry
        assert environment.call("echo", {"text": "hi"}).text == "hi"


def test_a_banner_on_stdout_is_forgiven(command: str) -> None:
    assert len(mcp_registry(f"{command} banner")) == 8


@pytest.mark.parametrize(
    ("mood", "message"),
    [
        ("none", "offers no tools"),
        ("twice", "offers two tools named 'echo'"),
        ("circle", "its list of tools comes back to page '2'"),
    ],
)
def test_lists_that_cannot_be_used(command: str, mood: str, message: str) -> None:
    assert message in error_of(f"{command} {mood}").message


@pytest.mark.parametrize(
    ("command", "message", "next_step"),
    [
        ("", "names no command", "'mcp:COMMAND ARGS'"),
        ("  ", "names no command", "'mcp:COMMAND ARGS'"),
        ("python 'a b", "cannot be split into words: no closing quotation", "close the quotes"),
        ("no-such-command-here -x", "no command 'no-such-command-here'", "command -v"),
        ("/dev/null", "/dev/null is not executable", "chmod +x /dev/null"),
        ("sh -c 'echo one >&2; echo two >&2; exit 3'", "listed its tools: two", "by hand: sh -c"),
        ("true", "ended before it listed its tools", "by hand: true"),
        ("echo hello there", "speaks no MCP on its stdout: it printed 'hello there'", "--stdio"),
        ("cat", "refuses: Method not found", "by hand: cat"),
    ],
)
def test_commands_that_start_no_server(command: str, message: str, next_step: str) -> None:
    error = error_of(command)
    assert message in error.message
    assert next_step in error.next_step


def test_a_command_without_an_interpreter_line(tmp_path: Path) -> None:
    script = tmp_path / "server"
    script.write_text("\x01 not a program")
    script.chmod(0o755)
    assert "cannot be started" in error_of(str(script)).message


def test_a_program_that_never_answers() -> None:
    started = time.monotonic()
    error = error_of("sh -c 'echo waiting >&2; exec sleep 600'", seconds=0.5)
    assert "has not listed its tools within 0.5 s; its last line: waiting" in error.message
    assert time.monotonic() - started < 10


def test_a_program_that_prints_without_end_is_given_up_early() -> None:
    started = time.monotonic()
    assert "it printed 'y'" in error_of("yes", seconds=60).message
    assert time.monotonic() - started < 20


@pytest.mark.slow
def test_stubborn_servers_and_what_they_start_are_killed(tmp_path: Path, command: str) -> None:
    note = tmp_path / "pids"
    # One ignores every polite request.
    loop = "trap '' TERM INT HUP; while true; do sleep 0.1; done"
    error_of(f"sh -c {shlex.quote(f'echo $$ > {note}; {loop}')}", seconds=0.3)
    # One goes at once and leaves a child behind.
    error_of(f"sh -c {shlex.quote(f'sleep 600 & echo $! >> {note}; exit 1')}")
    # One works, goes when it is asked to, and leaves a child behind.
    leaving = f"sh -c {shlex.quote(f'sleep 600 & echo $! >> {note}; {command}')}"
    assert "echo" in mcp_registry(leaving)
    pids = [int(word) for word in note.read_text().split()]
    assert len(pids) == 3
    _until(lambda: not any(_runs(pid) for pid in pids), seconds=2.0)


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 4])
def test_interrupted_while_it_waits(tmp_path: Path, times: int) -> None:
    """Also by somebody who is too impatient to let the server be stopped politely."""
    note = tmp_path / "pid"
    loop = "trap '' TERM INT HUP; while true; do sleep 0.1; done"
    command = f"sh -c {shlex.quote(f'echo $$ > {note}; {loop}')}"
    code = f"from tooldrill.agent.sources.mcp import mcp_registry; mcp_registry({command!r})"
    waiting = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    try:
        _until(lambda: note.exists() and note.read_text().endswith("\n"))
        for _ in range(times):
            time.sleep(0.3)
            waiting.send_signal(signal.SIGINT)
        _, stderr = waiting.communicate(timeout=30)
    finally:
        waiting.kill()
    assert b"KeyboardInterrupt" in stderr
    _until(lambda: not _runs(int(note.read_text())), seconds=2.0)


def test_an_error_in_the_block_is_passed_on_as_it_is(command: str) -> None:
    with pytest.raises(LookupError, match="mine"), open_mcp(command):
        raise LookupError("mine")


@pytest.mark.slow
def test_the_servers_own_output_stays_out_of_ours(tmp_path: Path) -> None:
    script = tmp_path / "noisy.py"
    talk = "import sys; print('loading', file=sys.stderr, flush=True)\n"
    script.write_text(talk + SERVER)
    source = f"mcp:{sys.executable} {script} banner"
    code = f"from tooldrill.cli.main import main; main(['tools', {source!r}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 8
    assert done.stdout.startswith("echo(")
    for word in ("ready", "loading", "Traceback"):
        assert word not in done.stdout + done.stderr


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _until(happened: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
