"""How a command ends: exit statuses, and an end that the command has explained itself.

Turning errors into lines is `main`'s work.
"""

from __future__ import annotations

INTERRUPTED = 130
USER_ERROR = 2


class ToldExit(SystemExit):
    """An end whose reason the command has said itself."""
