"""The one exception a user is meant to read: what was wrong, where, and what to run next.

Not for programming mistakes: those keep their tracebacks.
"""

from __future__ import annotations


class TooldrillError(Exception):
    """A mistake in the input or the environment that a person can mend.

    Args:
        message: one line: what was wrong and where.
        next_step: one line: the command or change that mends it.
    """

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
