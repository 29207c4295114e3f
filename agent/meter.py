"""Seconds and peak memory of work that is done in this process: a stage, an evaluation.

The kernel's own high-water mark is used where it can be reset (Linux); elsewhere the resident size
is sampled. Children count with the largest of them, as the kernel reports it.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import psutil

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_SAMPLE_SECONDS = 0.1


_running: list[Meter] = []


class Meter:
    """Measures the block: `seconds` and `peak_memory` (bytes) hold after it, and `seconds` grows
    while it runs. One may run within another."""

    def __init__(self) -> None:
        self._peak = 0
        self._child = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._start = time.monotonic()
        self._end: float | None = None

    @property
    def seconds(self) -> float:
        return (self._end or time.monotonic()) - self._start

    @property
    def peak_memory(self) -> int:
        return self._peak

    def __enter__(self) -> Meter:
        self._start = time.monotonic()
        self._child = _largest_child()
        # What is measured around this one must not lose what it has seen so far.
        for outer in _running:
            outer._peak = max(outer._peak, _high_water())
        _running.append(self)
        if not _reset_high_water():
            self._thread = threading.Thread(target=self._sample, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end = time.monotonic()
        _running.remove(self)
        if self._thread is None:
            self._peak = max(self._peak, _high_water())
        else:
            self._stop.set()
            self._thread.join()
        # The kernel's number is the largest of all children so far: it counts where it grew.
        if _largest_child() > self._child:
            self._peak = max(self._peak, _largest_child())

    def _sample(self) -> None:
        process = psutil.Process()
        while True:
            self._peak = max(self._peak, int(process.memory_info().rss))
            if self._stop.wait(_SAMPLE_SECONDS):
                return


def _reset_high_water() -> bool:
    try:
        _CLEAR.write_text("5")
    except OSError:
        return False
    return _high_water() > 0


def _high_water() -> int:
    try:
        lines = _STATUS.read_text("ascii", "replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _largest_child() -> int:
    if sys.platform == "win32":
        return 0
    import resource

    size = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024
