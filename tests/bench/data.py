"""How fast a data set is made: `make bench-data`.

20,000 traces with 10,000 pairs of the default settings, every source that is installed, in a
temporary folder. Prints traces per minute, peak memory of the largest process and of all together,
and the time again with one process, on a tenth of the set, as a ratio. Not a test.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from tooldrill.data.sets.build import build
from tooldrill.data.settings import DataSettings, Mixture

TRACES = int(os.environ.get("TRACES", "20000"))


def main() -> None:
    """Prints the table."""
    settings = DataSettings(traces=TRACES, pairs=TRACES // 2, mixture=_mixture())
    print(f"{settings.traces} traces, {settings.pairs} pairs, {os.cpu_count()} cores; mixture:")
    print("  " + ", ".join(f"{name} {share}" for name, share in settings.mixture))
    with tempfile.TemporaryDirectory() as folder:
        watch = _Memory()
        seconds = _timed(settings, Path(folder) / "all")
        together = watch.stop()
        print(f"{seconds:.0f} s: {settings.traces / seconds * 60:,.0f} traces a minute")
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        largest = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        print(f"peak memory: largest process {largest / 2**20:.2f} GiB, all {together:.2f} GiB")
        tenth = {"traces": settings.traces // 10, "pairs": settings.pairs // 10}
        times = {
            workers: _timed(settings.model_copy(update={**tenth, "workers": workers}),
                            Path(folder) / str(workers))
            for workers in (1, os.cpu_count() or 1)
        }  # fmt: skip
        one, many = times.values()
        print(f"a tenth with 1 process: {one:.0f} s, with {os.cpu_count()}: {one / many:.2f} x")


def _mixture() -> Mixture:
    from tooldrill.data.harvest import sources

    return Mixture(worlds=1, forge=1, harvest=1 if sources() else 0)


def _timed(settings: DataSettings, out: Path) -> float:
    started = time.perf_counter()

    def progress(done: int, total: int, note: str = "") -> None:
        left = (time.perf_counter() - started) / done * (total - done)
        sys.stderr.write(f"\r{done}/{total} {note}, {left:.0f} s left   ")

    build(settings, out, progress)
    sys.stderr.write("\n")
    return time.perf_counter() - started


class _Memory:
    """The most memory that this process and its children had together, in GiB."""

    def __init__(self) -> None:
        self._peak = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._stopped.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._stopped.wait(0.5):
            total = 0
            for process in (me, *me.children(recursive=True)):
                try:
                    # Shared pages are counted once.
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue  # it has just ended
            self._peak = max(self._peak, total / 2**30)


if __name__ == "__main__":
    main()
