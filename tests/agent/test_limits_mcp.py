"""MCP servers under limits: real servers that try to get out, and what they say of their tools."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tooldrill.agent.environment import Environment, Observation
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.limits import landlock, seccomp
from tooldrill.agent.limits.opening import limited_environment
from tooldrill.agent.limits.settings import ToolLimits
from tooldrill.agent.tool import Registry

pytestmark = pytest.mark.skipif(
    not landlock.version() or not seccomp.available(), reason="needs a kernel with Landlock"
)

SERVER = """
import os, socket, subprocess, sys
from pathlib import Path
import anyio
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

HINTS = {"python": None, "look": True, "change": False}
SCHEMA = {"type": "object", "properties": {"code": {"type": "string"}}}


async def list_tools(context, params):
    return types.ListToolsResult(tools=[
        types.Tool(name=name, description="Runs Python.", input_schema=SCHEMA,
                   annotations=None if hint is None else types.ToolAnnotations(read_only_hint=hint))
        for name, hint in HINTS.items()
    ])


async def call_tool(context, params):
    space = dict(globals())
    try:
        exec(params.arguments["code"], space)
        said, error = str(space.get("result")), False
    except BaseException as problem:
        said, error = f"{type(problem).__name__}: {problem}", True
    return types.CallToolResult(content=[types.TextContent(text=said)], is_error=error)


async def main():
    server = Server("s", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())

anyio.run(main)
"""


@contextmanager
def opened(
    folder: Path, command: str = "", **limits: Any
) -> Iterator[tuple[Registry, Environment]]:
    workspace, script = folder / "ws", folder / "a server" / "server.py"
    workspace.mkdir(exist_ok=True)
    script.parent.mkdir(exist_ok=True)
    script.write_text(SERVER)
    command = command or f"{sys.executable} {shlex.quote(str(script))}"
    settings = ToolLimits(workspace=workspace, **limits)
    with limited_environment(f"mcp:{command}", settings) as pair:
        yield pair


def run(environment: Environment, code: str) -> Observation:
    return environment.call("python", {"code": code})


def test_a_server_is_confined(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        opened(tmp_path, output_chars=300) as (registry, environment),
    ):
        assert run(environment, "result = os.getcwd()").text == str(tmp_path / "ws")
        assert run(environment, "Path('made').write_text('x')").text == "None"
        assert (tmp_path / "ws" / "made").read_text() == "x"
        for code in (
            f"result = Path({str(secret)!r}).read_text()",
            f"Path({str(secret)!r}).write_text('')",
            "result = Path('../secret.txt').read_text()",
            f"os.symlink({str(tmp_path)!r}, 'out'); result = Path('out/secret.txt').read_text()",
            f"socket.create_connection(('127.0.0.1', {tcp.getsockname()[1]}))",
            "subprocess.run(['ls'])",
            "subprocess.run('ls', shell=True, check=True)",
            f"Path('/proc/{os.getpid()}/environ').read_bytes()",
        ):
            seen = run(environment, code)
            assert seen.error, code
            assert "PermissionError" in seen.text, code
        assert secret.read_text() == "the secret"
        long = run(environment, "result = 'x' * 1000")
        assert long.text.count("x") == 300
        assert "[... 700 characters left out ...]" in long.text
        flood = run(environment, "result = 'x' * 2_000_000")
        assert flood.error
        assert flood.text.startswith(
            "ERROR: python: done, but its answer of 2,000,000 characters is too long to be read."
        )
        assert len(flood.text) < 400
        assert [registry[name].writes for name in registry.names] == [None, False, True]


def test_keys_are_not_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "key")
    code = "result = (os.environ.get('SOME_API_KEY'), 'PATH' in os.environ)"
    with opened(tmp_path) as (_, environment):
        assert run(environment, code).text == "(None, True)"
    with opened(tmp_path, variables=("SOME_API_KEY",)) as (_, environment):
        assert run(environment, code).text == "('key', True)"


DAEMON = """
child = os.fork()
if not child:
    os.setsid()
    os.closerange(0, 100)
    import time; time.sleep(600)
result = child
"""


def test_what_a_server_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    """Also what has left its group and its session."""
    with opened(tmp_path) as (_, environment):
        child = int(run(environment, DAEMON).text)
        assert psutil.pid_exists(child)
    until_gone(child)


@pytest.mark.slow
def test_a_server_that_does_not_listen_does_not_outlive_an_agent_that_is_killed(
    tmp_path: Path,
) -> None:
    code = (
        "import sys; sys.path[:0] = ['tests', 'tests/agent']\nfrom pathlib import Path\n"
        f"import test_limits_mcp as t\nwith t.opened(Path({str(tmp_path)!r})) as (_, tools):\n"
        "    print(t.run(tools, 'result = os.getpid()').text, t.run(tools, t.DAEMON).text)\n"
        "    sys.stdout.flush(); t.run(tools, 'while True: pass')\n"
    )
    where = {**os.environ, "TMPDIR": str(tmp_path)}
    agent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=where)
    assert agent.stdout is not None
    server, child = map(int, agent.stdout.readline().split())
    agent.kill()
    agent.wait()
    until_gone(server, child)


def until_gone(*processes: int) -> None:
    end = time.monotonic() + 60
    while any(map(psutil.pid_exists, processes)):
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.05)


def test_a_shell_can_be_allowed(tmp_path: Path) -> None:
    with opened(tmp_path, allow_shell=True) as (_, environment):
        code = "result = subprocess.run('echo hi', shell=True, capture_output=True).stdout"
        assert run(environment, code).text == "b'hi\\n'"


def test_a_script_with_an_interpreter_line_is_started(tmp_path: Path) -> None:
    script = tmp_path / "served"
    script.write_text(f"#!{sys.executable}\n{SERVER}")
    script.chmod(0o755)
    with opened(tmp_path, str(script)) as (_, environment):
        assert run(environment, "result = 1 + 1").text == "2"


def test_a_relative_script_is_found_from_where_the_user_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "near.py").write_text(SERVER)
    monkeypatch.chdir(tmp_path)
    with opened(tmp_path, f"{sys.executable} near.py") as (_, environment):
        assert run(environment, "result = os.getcwd()").text == str(tmp_path / "ws")


@pytest.mark.parametrize(
    ("command", "message", "next_step"),
    [
        ("no-such-command-here -x", "no command 'no-such-command-here'", "command -v"),
        ("sh -c 'echo tired >&2; exit 3'", "ended before it listed its tools: tired", "by hand"),
        ("", "names no command", "'mcp:COMMAND ARGS'"),
    ],
)
def test_commands_that_start_no_server(
    tmp_path: Path, command: str, message: str, next_step: str
) -> None:
    (tmp_path / "ws").mkdir()
    limits = ToolLimits(workspace=tmp_path / "ws")
    with pytest.raises(TooldrillError) as caught:
        limited_environment(f"mcp:{command}", limits).__enter__()
    assert message in caught.value.message
    assert next_step in caught.value.next_step


def test_a_program_that_is_not_executable(tmp_path: Path) -> None:
    script = tmp_path / "plain.py"
    script.write_text("x")
    limits = ToolLimits(workspace=tmp_path)
    with pytest.raises(TooldrillError, match="is not executable"):
        limited_environment(f"mcp:{script}", limits).__enter__()
