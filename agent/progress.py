"""How a stage tells how far it is; drawing a bar is the command line's work."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called as work proceeds.

    Args:
        done: units finished; total: units in all; note: a few words for the user (loss, rate).
    """

    def __call__(self, done: int, total: int, note: str = "") -> None: ...


def silent(done: int, total: int, note: str = "") -> None:
    """Tells nobody."""
