"""The program of a worker: imports the user's tools under limits and carries out their calls.

`python -m tooldrill.agent.limits.worker REQUESTS ANSWERS LIFELINE` with the numbers of three pipes;
the first message says which tools and which limits. The agent's side is `environment`.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from tooldrill.agent.environment import Observation
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.functions import FunctionEnvironment
from tooldrill.agent.limits import open_files, process_limits, wire
from tooldrill.agent.limits.answers import readable
from tooldrill.agent.limits.confinement import confine
from tooldrill.agent.limits.process_tree import guard
from tooldrill.agent.limits.settings import ToolLimits
from tooldrill.agent.limits.tools import LiveTools, live_tools, readable_roots


def main(requests: int, answers: int, lifeline: int) -> NoReturn:
    """Splits into the guard, which stays outside of the limits, and the worker."""
    process_limits.adopt_orphans()
    worker = os.fork()
    if worker:
        # The agent must see its pipes closed when the worker is gone, not when the guard is.
        sink = os.open(os.devnull, os.O_RDWR)
        for descriptor in (1, 2, requests, answers):
            os.dup2(sink, descriptor)
        os._exit(guard(worker, lifeline))
    status = 1
    try:
        os.close(lifeline)
        os.setpgid(0, 0)
        process_limits.die_with_parent(signal.SIGKILL)
        serve(requests, answers)
        status = 0
    finally:
        # Without the interpreter's own end: threads of a tool would hold it up.
        _flush()
        os._exit(status)


def serve(requests: int, answers: int) -> None:
    """Answers calls until there are no more."""
    messages = wire.receive(requests)
    setting = next(messages)
    limits = ToolLimits.model_validate_json(setting["limits"])
    try:
        tools = _under_limits(str(setting["source"]), limits, Path(setting["temporary"]))
    except TooldrillError as error:
        wire.send(answers, {"failure": [error.message, error.next_step]})
        return
    listed = [{"tool": tool.to_openai(), "writes": tool.writes} for tool in tools.registry]
    wire.send(answers, {"tools": listed})
    _answer(messages, answers, tools, limits)


def _under_limits(source: str, limits: ToolLimits, temporary: Path) -> LiveTools:
    try:
        confine(limits, temporary, () if limits.unconfined else readable_roots(source))
        process_limits.limit_addresses(limits)
    except OSError as error:
        raise TooldrillError(
            f"the tools cannot be confined: {error}",
            "check that the workspace and the readable folders can be opened; where the system "
            "refuses, run tooldrill in a container, or pass --unconfined",
        ) from error
    if not limits.allow_shell:
        open_files.install()
    # Where the user stands is where relative names of modules and files begin.
    tools = live_tools(source, limits)
    os.chdir(limits.workspace)
    return tools


def _answer(
    messages: Iterator[wire.Message], answers: int, tools: LiveTools, limits: ToolLimits
) -> None:
    environment = FunctionEnvironment(tools.functions)
    mask = os.umask(0)
    for message in messages:
        try:
            _begin_anew(limits.workspace, mask)
            seen = environment.call(message["name"], message["arguments"])
        except BaseException as error:  # also a KeyboardInterrupt that a tool raises
            seen = Observation.raised(error)
        _flush()
        seen = readable(message["name"], seen, limits)
        wire.send(answers, {"id": message["id"], "text": seen.text, "error": seen.error})


def _begin_anew(workspace: Path, mask: int) -> None:
    """A call begins in the workspace, whatever the one before it has left behind."""
    os.chdir(workspace)
    os.umask(mask)
    signal.setitimer(signal.ITIMER_REAL, 0)


def _flush() -> None:
    """What was printed is in the pipe before the answer is, also what C code printed."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(BaseException):  # a tool may have closed or replaced it
            stream.flush()
    ctypes.CDLL(None).fflush(None)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:4]))
