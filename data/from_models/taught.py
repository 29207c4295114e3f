"""What a teacher's work comes to, whatever the work: rows, a balance, and turns never answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress
from tooldrill.data.ingest.report import Report

Row = dict[str, Any]


@dataclass
class Taught:
    """What the teacher's work came to.

    Attributes:
        rows: of the SFT set.
        report: counts tasks: kept ones gave a row.
        failures: tasks on which the engine failed; they are tried again by the next run.
    """

    rows: list[Row] = field(default_factory=list)
    report: Report = field(default_factory=Report)
    failures: int = 0


@dataclass
class Failures:
    """Turns that the engine did not answer."""

    count: int = 0
    reason: str = ""

    def add(self, reason: str | None) -> None:
        self.count += 1
        self.reason = self.reason or (reason or "")

    def require_some(self, answered: int) -> None:
        if self.count and not answered:
            raise TooldrillError(
                f"the teacher gave no reply in any of {self.count} tasks: {self.reason}",
                "check that it runs, that it knows tools, and that its context holds the prompts",
            )


def after(before: int, progress: Progress) -> Progress:
    """The progress of what is left, told as that of all."""

    def told(done: int, total: int, note: str = "") -> None:
        progress(before + done, before + total, note)

    return told
