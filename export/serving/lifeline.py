"""A program that ends with this one, also when this one is killed and can end nothing any more.

A watcher beside the program holds the reading end of a pipe, which closes by itself when this
process is gone. It is this file run by itself, so it imports nothing of tooldrill's.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from types import TracebackType
from typing import IO, Self

_DONE = b"done\n"
_PATIENCE = 10.0
_PAUSE = 0.1


class Lifeline:
    """For a block: what it holds does not outlive this process. Ends nothing when the block ends.

    Started before the program, so that there is hardly a moment at which nobody watches it.
    """

    def __enter__(self) -> Self:
        # In a session of its own, out of reach of Ctrl-C.
        self._watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__], stdin=subprocess.PIPE, start_new_session=True
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._tell(_DONE)
        with contextlib.suppress(BrokenPipeError):
            self._pipe.close()
        self._watcher.wait()

    def hold(self, process: int) -> None:
        """From here on that process ends with this one."""
        self._tell(b"%d\n" % process)

    def _tell(self, line: bytes) -> None:
        # Somebody has ended the watcher: the block goes on without it.
        with contextlib.suppress(BrokenPipeError):
            self._pipe.write(line)
            self._pipe.flush()

    @property
    def _pipe(self) -> IO[bytes]:
        assert self._watcher.stdin is not None
        return self._watcher.stdin


def watch(lines: IO[bytes]) -> None:
    """Waits for the end of what it is told, and then ends the process it was told of."""
    process: int | None = None
    for line in lines:
        if line == _DONE:
            return
        process = int(line)
    if process is not None:
        _end(process)


def _end(process: int) -> None:
    end = time.monotonic() + _PATIENCE
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
        while time.monotonic() < end:
            time.sleep(_PAUSE)
            os.kill(process, 0)
        os.kill(process, signal.SIGKILL)


if __name__ == "__main__":
    watch(sys.stdin.buffer)
