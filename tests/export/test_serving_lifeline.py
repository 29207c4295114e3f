"""What serve-check starts ends with it, also when it is killed; and what it lets be handed on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.serving.lifeline import Lifeline
from tooldrill.export.serving.options import own_environment, require_free

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(1, flush=True)
time.sleep(600)
"""
AGENT = """
import subprocess, sys, time
from tooldrill.export.serving.lifeline import Lifeline
with Lifeline() as lifeline:
    held = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    lifeline.hold(held.pid)
    print(held.pid, flush=True)
    time.sleep(600)
"""


def until(happened: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def gone(process: int) -> bool:
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_is_held_ends_with_who_holds_it(how: signal.Signals) -> None:
    agent = subprocess.Popen([sys.executable, "-c", AGENT], stdout=subprocess.PIPE)
    assert agent.stdout is not None
    held = int(agent.stdout.readline())
    assert not gone(held)
    agent.send_signal(how)
    assert agent.wait() == -how
    until(lambda: gone(held))


def test_the_end_of_the_block_ends_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE) as held:
        with Lifeline() as lifeline:
            lifeline.hold(held.pid)
        assert held.poll() is None
        held.kill()


def test_a_watcher_that_somebody_ends_is_no_end_of_the_block() -> None:
    before = psutil.Process().children()
    with Lifeline() as lifeline:
        (watcher,) = (c for c in psutil.Process().children() if c not in before)
        watcher.kill()
        watcher.wait()
        lifeline.hold(os.getpid())


@pytest.mark.slow
def test_what_does_not_listen_is_killed() -> None:
    code = AGENT.replace('"import time; time.sleep(600)"', repr(DEAF))
    agent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert agent.stdout is not None
    lines = {agent.stdout.readline().strip(), agent.stdout.readline().strip()}
    (held,) = (int(line) for line in lines - {b"1"})
    agent.kill()
    agent.wait()
    until(lambda: gone(held))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--port", "9999"], "--port"),
        (["--reasoning", "off", "--api-key=k"], "--api-key"),
        (["-m", "other.gguf"], "-m"),
    ],
)
def test_options_that_are_ours_to_choose(options: list[str], named: str) -> None:
    with pytest.raises(TooldrillError, match="cannot be handed on") as caught:
        require_free(options)
    assert caught.value.next_step == f"leave {named} out"


def test_other_options_are_handed_on() -> None:
    require_free(["--reasoning", "off", "--ctx-size", "2048", "-ngl", "99", "--chat-template", "m"])


def test_a_key_meant_for_another_server_is_not_this_ones() -> None:
    told = {"LLAMA_API_KEY": "k", "LLAMA_ARG_SSL_KEY_FILE": "f", "LLAMA_ARG_THREADS": "1"}
    assert own_environment(told) == {"LLAMA_ARG_THREADS": "1"}
