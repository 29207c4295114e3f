"""The tool `execute_command`, offered beside the file tools with `--allow-shell` only.

It runs inside of a worker: what the command starts is under the worker's limits too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import IO

from tooldrill.agent.environment import ToolError
from tooldrill.agent.limits.answers import flood, is_flood
from tooldrill.agent.limits.clip import LINE_ROOM, ClippedBytes
from tooldrill.agent.limits.settings import ToolLimits

_CHUNK = 1 << 16
# The worker must answer before its own time is over.
_SPARE_SECONDS = 1.0
# Room for what is said about the output, so that it is not cut a second time.
_WORDS = 2 * LINE_ROOM


class Shell:
    """Runs commands in the workspace."""

    def __init__(self, limits: ToolLimits) -> None:
        self._limits = limits

    def execute_command(self, command: str, cwd: str = ".", timeout: int = 60) -> str:
        """Run a shell command and show what it prints.

        Args:
            command: Command line for sh.
            cwd: Folder to run it in.
            timeout: Most seconds it may take.
        """
        seconds = min(float(timeout), max(self._limits.seconds - _SPARE_SECONDS, 0.1))
        folder = self._limits.workspace / cwd
        try:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise ToolError(f"cannot be run in {cwd}: {error}") from None
        assert process.stdout is not None
        output = ClippedBytes(max(self._limits.output_chars - _WORDS, LINE_ROOM))
        reading = threading.Thread(target=_read, args=(process.stdout, output), daemon=True)
        reading.start()
        text = _ended(process, reading, output, seconds)
        if is_flood(output.taken, self._limits):
            raise ToolError(
                flood(
                    "execute_command",
                    "output",
                    output.taken,
                    lambda room: output.text(max(room - LINE_ROOM, 0)),
                    self._limits,
                )
            )
        return text


def _ended(
    process: subprocess.Popen[bytes],
    reading: threading.Thread,
    output: ClippedBytes,
    seconds: float,
) -> str:
    """What it printed; a command that failed or took too long is an error that says so.

    Its output ends when the last process that holds it has ended, not when the shell has.
    """
    end = time.monotonic() + seconds
    reading.join(seconds)
    late = reading.is_alive()
    if not late:
        try:
            process.wait(max(end - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            late = True
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    status = process.wait()
    reading.join(0.5)
    text = output.text()
    if late:
        raise ToolError(f"stopped after {seconds:g} s; it had printed:\n{text or '(nothing)'}")
    if status:
        raise ToolError(f"exit status {status}\n{text}".rstrip())
    return text or "(no output)"


def _read(stream: IO[bytes], output: ClippedBytes) -> None:
    while piece := os.read(stream.fileno(), _CHUNK):
        output.add_bytes(piece)
