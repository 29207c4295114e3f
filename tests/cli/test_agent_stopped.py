"""`tooldrill agent` stopped from outside, in a process of its own: Ctrl-C, a closed pipe; and on a
terminal of sixty columns without colours."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from scripted_endpoint import Answer, delta, reply, serve, stream

from tooldrill.agent.episode import Episode, Outcome

pytestmark = pytest.mark.slow

TOOLS = '''
import time
from pathlib import Path


def nap(seconds: float) -> str:
    """Sleeps."""
    Path("asleep").write_text("")
    time.sleep(seconds)
    return "slept"


def say(text: str) -> str:
    """Says it."""
    return text
'''
COMMAND = [sys.executable, "-c", "from tooldrill.cli.main import main; main()", "agent", "Do it."]


def call(name: str, /, **arguments: Any) -> Answer:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return reply(content="", tool_calls=[{"id": "1", "type": "function", "function": function}])


def begin(folder: Path, url: str, *options: str, **how: Any) -> subprocess.Popen[str]:
    (folder / "mine").mkdir()
    (folder / "mine/tools.py").write_text(TOOLS)
    (folder / "ws").mkdir()
    arguments = ["--endpoint", url, "--tools", "python:mine/tools.py", "--workspace", "ws"]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [*COMMAND, *arguments, *options], cwd=folder, text=True, **streams | how
    )


def until(happened: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def interrupt(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Ctrl-C; what it printed. Nothing that it started may be left."""
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    shown = process.communicate(timeout=60)
    until(lambda: not any(_runs(one) for one in started), 20.0)
    assert "Traceback" not in shown[1]
    assert process.returncode == 130
    return shown


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_ctrl_c_in_the_middle_of_a_reply(tmp_path: Path) -> None:
    pieces = [delta(content=f"word {n} ") for n in range(400)]
    with serve(call("say", text="hello"), stream(pieces, pause=0.1)) as scripted:
        process = begin(tmp_path, scripted.url, "--json", "--save", "episode.json")
        until(lambda: len(scripted.requests) == 2)
        time.sleep(0.5)
        out, err = interrupt(process)
    assert "stopped; what the tools have done stays done\n" in err
    assert "to go on" not in err
    step, ending = map(json.loads, out.splitlines())
    assert step["step"]["observation"] == "hello"
    assert (ending["outcome"], ending["failure"]) == ("interrupted", "KeyboardInterrupt")
    kept = Episode.model_validate_json((tmp_path / "episode.json").read_text())
    assert (kept.outcome, len(kept.steps)) == (Outcome.INTERRUPTED, 1)
    assert scripted.dropped.wait(10), "the server goes on generating"


def test_ctrl_c_in_the_middle_of_a_tool(tmp_path: Path) -> None:
    with serve(call("nap", seconds=500)) as scripted:
        process = begin(tmp_path, scripted.url, "--save", "episode.json")
        until((tmp_path / "ws/asleep").exists)
        _, err = interrupt(process)
    assert "stopped; what the tools have done stays done\n" in err
    kept = Episode.model_validate_json((tmp_path / "episode.json").read_text())
    assert kept.outcome is Outcome.INTERRUPTED
    assert kept.steps[0].calls[0].name == "nap" and kept.steps[0].observation is None


def test_ctrl_c_at_a_question(tmp_path: Path) -> None:
    with serve(call("say", text="hello"), reply(content="Done.")) as scripted:
        process = begin(tmp_path, scripted.url, "--confirm", stdin=subprocess.PIPE)
        assert process.stderr is not None
        seen = ""
        while "? [y/N] " not in seen:
            seen += process.stderr.read(1)
        _, err = interrupt(process)
    assert "stopped; what the tools have done stays done\n" in err
    assert len(scripted.requests) == 1, "no is not what Ctrl-C says"


def test_a_reader_that_goes(tmp_path: Path) -> None:
    many = [call("say", text="x" * 100_000) for _ in range(5)]
    with serve(*many, reply(content="Done.")) as scripted:
        process = begin(tmp_path, scripted.url, "--json", "--save", "episode.json")
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(60) == 1
    assert "Traceback" not in err and "BrokenPipe" not in err
    assert Episode.model_validate_json((tmp_path / "episode.json").read_text()).steps


def test_sixty_columns_without_colours(tmp_path: Path) -> None:
    """Whatever is said is there in full, once, and nothing of a terminal's colours."""
    long = " ".join(f"word{n}" for n in range(60))
    pieces = [delta(content=f"{word} ") for word in long.split()] + [delta("stop")]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "60", "NO_COLOR": "1", "TERM": "xterm-256color"}
    with serve(call("say", text=long), stream(pieces)) as scripted:
        process = begin(tmp_path, scripted.url, stderr=theirs, env=environment)
        os.close(theirs)
        shown = ""
        while select.select([ours], [], [], 60.0)[0]:
            try:
                shown += os.read(ours, 65536).decode()
            except OSError:
                break  # a terminal's way of saying that the other side has closed
        out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0
    assert out.split() == long.split()
    assert not re.search(r"\x1b\[(?:3|4|9|10)\d", shown)
    assert f"\n{long}\r\n" in re.sub(r"\x1b\[[0-9;]*m", "", shown)
