"""A worker's process and the pipes to it: requests, answers, and what it prints meanwhile.

All pipes are read as they fill, so that neither side waits for the other for ever, and nothing is
kept beyond a fixed size. What an answer means is decided in `environment`.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tooldrill.agent.limits import wire
from tooldrill.agent.limits.clip import LINE_ROOM, ClippedBytes
from tooldrill.agent.limits.disk import DiskRoom
from tooldrill.agent.limits.settings import MIB, ToolLimits
from tooldrill.agent.limits.variables import variables

_CHUNK = 1 << 16
# A character is at most twelve bytes of escaped JSON; then there are the keys of an answer.
_BYTES_PER_CHARACTER, _KEYS = 12, 1024
# The first answer is the registry.
_LARGEST_REGISTRY = 16 * MIB
# What background threads print goes on after an answer: this much of it is read.
_MOST_LEFTOVER = 1 << 20
_STDERR_CHARS = 8192
_END_SECONDS = 10.0
_LOOK_SECONDS = 0.2


class Answer(NamedTuple):
    """A message, and what was printed to stdout until it came."""

    message: wire.Message
    printed: ClippedBytes


class LateError(Exception):
    """No answer in time."""

    def __init__(self, printed: ClippedBytes) -> None:
        super().__init__()
        self.printed = printed


class FullError(LateError):
    """No answer yet, and no more room on the disk."""


class EndedError(Exception):
    """The worker ended, or sent something else than an answer.

    Attributes:
        status: as a shell counts it.
        last_words: the last line of its stderr.
    """

    def __init__(self, status: int, last_words: str, printed: ClippedBytes) -> None:
        super().__init__()
        self.status = status
        self.last_words = last_words
        self.printed = printed


class Connection:
    """One worker, from its start to its end."""

    def __init__(self, limits: ToolLimits, temporary: Path) -> None:
        self._most = _BYTES_PER_CHARACTER * (limits.output_chars + LINE_ROOM) + _KEYS
        self._output_chars = limits.output_chars
        self._writable, self._disk_room = (limits.workspace, temporary), limits.disk_room
        self._stderr = ClippedBytes(_STDERR_CHARS)
        theirs_in, self._requests = os.pipe()
        self._answers, theirs_out = os.pipe()
        theirs_life, self._lifeline = os.pipe()
        theirs = (theirs_in, theirs_out, theirs_life)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tooldrill.agent.limits.worker", *map(str, theirs)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=theirs,
                start_new_session=True,
                env={
                    **variables(limits, temporary),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "PYTHONIOENCODING": "utf-8",
                },
            )
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        assert self._process.stdout is not None and self._process.stderr is not None
        self._stdout_pipe = self._process.stdout.fileno()
        self._stderr_pipe = self._process.stderr.fileno()
        self._reader = wire.Reader(_LARGEST_REGISTRY)
        pipes = (self._requests, self._answers, self._stdout_pipe, self._stderr_pipe)
        for descriptor in pipes:
            os.set_blocking(descriptor, False)

    def ask(self, request: wire.Message, seconds: float) -> Answer:
        """Sends a request and waits for its answer.

        Raises:
            LateError: when there is none in time; the worker is of no use any more.
            FullError: likewise, when it fills the disk.
            EndedError: likewise, when it has ended.
        """
        self._drain(self._stdout_pipe, ClippedBytes(0))  # printed by nobody's call
        self._drain(self._stderr_pipe, ClippedBytes(0))
        self._stderr = ClippedBytes(_STDERR_CHARS)
        printed = ClippedBytes(self._output_chars)
        end = time.monotonic() + seconds
        room = DiskRoom(self._writable, self._disk_room)
        rest = memoryview(wire.encode(request))
        with selectors.DefaultSelector() as selector:
            for pipe in (self._answers, self._stdout_pipe, self._stderr_pipe):
                selector.register(pipe, selectors.EVENT_READ)
            selector.register(self._requests, selectors.EVENT_WRITE)
            while (left := end - time.monotonic()) > 0:
                if room.is_taken():
                    raise FullError(printed)
                for key, _ in selector.select(min(left, _LOOK_SECONDS)):
                    if key.fd == self._requests:
                        rest = self._write(rest, printed)
                        if not rest:
                            selector.unregister(self._requests)
                    elif key.fd == self._answers:
                        if (message := self._message(request, printed)) is not None:
                            self._drain(self._stdout_pipe, printed)
                            self._reader.most = self._most
                            return Answer(message, printed)
                    elif not self._take(key.fd, printed):
                        selector.unregister(key.fd)
        raise LateError(printed)

    def close(self) -> int:
        """Ends the worker and all it started; returns its exit status."""
        for descriptor in (self._requests, self._answers, self._lifeline):
            with suppress(OSError):  # closed before
                os.close(descriptor)
        self._requests = self._answers = self._lifeline = -1
        try:
            status = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        return status

    def _write(self, rest: memoryview, printed: ClippedBytes) -> memoryview:
        try:
            return rest[os.write(self._requests, rest) :]
        except BlockingIOError:
            return rest
        except BrokenPipeError:
            raise self._ended(printed) from None

    def _message(self, request: wire.Message, printed: ClippedBytes) -> wire.Message | None:
        piece = os.read(self._answers, _CHUNK)
        if not piece:
            raise self._ended(printed)
        try:
            for message in self._reader.feed(piece):
                if message.get("id") == request.get("id"):
                    return message
        except wire.WireError:
            raise self._ended(printed) from None
        return None

    def _take(self, pipe: int, printed: ClippedBytes) -> bool:
        """Reads from stdout or stderr; false when it was closed."""
        piece = os.read(pipe, _CHUNK)
        (printed if pipe == self._stdout_pipe else self._stderr).add_bytes(piece)
        return bool(piece)

    def _drain(self, pipe: int, into: ClippedBytes) -> None:
        """Takes what is there already."""
        taken = 0
        with suppress(BlockingIOError):
            while taken < _MOST_LEFTOVER and (piece := os.read(pipe, _CHUNK)):
                into.add_bytes(piece)
                taken += len(piece)

    def _ended(self, printed: ClippedBytes) -> EndedError:
        """The worker is gone, or is sent away; the guard tells how it ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self._drain(self._stdout_pipe, printed)
        self._drain(self._stderr_pipe, self._stderr)
        status = self._process.poll()
        lines = [line.strip() for line in self._stderr.text().splitlines()]
        last = next((line for line in reversed(lines) if line), "")
        return EndedError(1 if status is None else status, last[:500], printed)
