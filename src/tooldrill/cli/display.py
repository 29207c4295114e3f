"""The pipeline's progress on a terminal (bars) or in a log (a line now and then)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from tooldrill.agent.progress import Progress as Report
from tooldrill.manifest import Manifest
from tooldrill.pipeline import Stage, Status

_LOG_SECONDS = 30.0


def minutes(seconds: float) -> str:
    """`48 s` or `3.4 min`."""
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.1f} min"


def gigabytes(size: float) -> str:
    """`1.24 GB`; decimal, as disks and cards are sold."""
    return f"{size / 1e9:.2f} GB"


class Display:
    """Shows one line per stage; a context manager for the time the pipeline runs.

    Args:
        names: the stages that will be shown, in order.
    """

    def __init__(self, names: Sequence[str], console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._live = self.console.is_terminal
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description:<7}"),
            BarColumn(bar_width=28),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            _Remaining(),
            TextColumn("{task.fields[note]}"),
            console=self.console,
            disable=not self._live,
        )
        self._tasks: dict[str, TaskID] = {
            name: self._progress.add_task(name, total=None, start=False, note="") for name in names
        }

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def skipped(self, stage: Stage, status: Status) -> None:
        self._end(stage.name, status.reason)
        self._say(stage.name, status.reason)

    def working(self, stage: Stage, status: Status) -> AbstractContextManager[Report]:
        """Gives the stage its progress callback."""
        self._say(stage.name, status.reason)
        return self.part(stage.name)

    def part(self, name: str) -> AbstractContextManager[Report]:
        """The progress callback of one of the names."""
        return self._bar(name) if self._live else self._log(name)

    def finished(self, stage: Stage, manifest: Manifest) -> None:
        note = f"{minutes(manifest.seconds)}, peak {gigabytes(manifest.peak_memory)}"
        self._end(stage.name, note)
        self._say(stage.name, f"done in {note}")

    @contextmanager
    def _bar(self, name: str) -> Iterator[Report]:
        task = self._tasks[name]
        self._progress.start_task(task)

        def report(done: int, total: int, note: str = "") -> None:
            self._progress.update(task, completed=done, total=total, note=note)

        yield report

    @contextmanager
    def _log(self, name: str) -> Iterator[Report]:
        start = last = time.monotonic()

        def report(done: int, total: int, note: str = "") -> None:
            nonlocal last
            now = time.monotonic()
            if now - last < _LOG_SECONDS or not 0 < done <= total:
                return
            last = now
            left = (now - start) / done * (total - done)
            self._say(
                name, f"{100 * done // total}% ({done}/{total}), {minutes(left)} left  {note}"
            )

        yield report

    def _end(self, name: str, note: str) -> None:
        self._progress.update(self._tasks[name], completed=1, total=1, note=note)
        self._progress.stop_task(self._tasks[name])

    def _say(self, name: str, text: str) -> None:
        if not self._live:
            self.console.print(f"{name}: {text}", highlight=False, soft_wrap=True)


class _Remaining(ProgressColumn):
    """The estimate; nothing before a stage begins and after it ended."""

    def __init__(self) -> None:
        super().__init__()
        self._inner = TimeRemainingColumn()

    def render(self, task: Task) -> Text:
        if not task.started or task.finished or task.total is None:
            return Text("")
        return Text("ETA ") + self._inner.render(task)


@contextmanager
def single_bar(name: str) -> Iterator[Report]:
    """Progress of something that is no stage of a run."""
    display = Display([name])
    with display, display.part(name) as report:
        yield report
