"""Ending a worker and everything it has started, whatever becomes of the agent itself.

The guard is a process of its own that runs no tool: it waits for the worker to end, or for the
agent to let go of the lifeline, a pipe that closes by itself when the agent dies.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress

import psutil

_PAUSE = 0.01


def guard(worker: int, lifeline: int) -> int:
    """Waits, then leaves no process behind.

    Args:
        worker: process id of the one child of this process.
        lifeline: the reading end; nothing is ever written.

    Returns:
        The worker's exit status, as a shell counts it: 128 and the signal's number after a signal.
    """
    status = _wait(worker, lifeline)
    if status is None:
        # Together first: what the worker started is mostly in its group.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(worker, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
        status = os.waitpid(worker, 0)[1]
    _end_children()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _wait(worker: int, lifeline: int) -> int | None:
    """The worker's status when it has ended by itself; None when the lifeline was let go."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while True:
        # It may have ended before the signal was listened for, and orphans end too.
        ended, status = os.waitpid(worker, os.WNOHANG)
        if ended:
            return status
        ready = {descriptor for descriptor, _ in poll.poll()}
        if lifeline in ready:
            return None
        os.read(woken, 4096)
        _reap(spare=worker)


def _reap(spare: int) -> None:
    """Takes note of orphans that have ended, so that none stays as a zombie."""
    for child in psutil.Process().children():
        if child.pid != spare and child.status() == psutil.STATUS_ZOMBIE:
            with suppress(ChildProcessError):
                os.waitpid(child.pid, os.WNOHANG)


def _end_children() -> None:
    """Kills until there is nobody left: what a killed one had started is adopted, and next."""
    while True:
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return
        time.sleep(_PAUSE)
