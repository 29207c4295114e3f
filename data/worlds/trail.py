"""Writing an oracle by carrying it out, so that later arguments are read from observations.

For worlds whose sessions are cheap to open. Only templates use it; nothing of it reaches a task
but the calls.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tooldrill.data.worlds.base import Session
from tooldrill.data.worlds.book import OracleCall


class Trail:
    """Calls made so far in a session of its own.

    Args:
        open_session: what opens a session, a session's class for example.
        state: the state the task begins with; it is not changed.
    """

    def __init__(self, open_session: Callable[[dict[str, Any]], Session], state: dict[str, Any]):
        self._session = open_session(copy.deepcopy(state))
        self.calls: list[OracleCall] = []

    def do(self, tool: str, **arguments: Any) -> str:
        """Makes a call; the observation.

        Raises:
            ValueError: when it comes back as an error, which is a defect of the template.
        """
        observation = self._session.call(tool, arguments)
        if observation.error:
            raise ValueError(f"{tool}({arguments}): {observation.text}")
        self.calls.append((tool, arguments))
        return observation.text

    def number(self, tool: str, **arguments: Any) -> int | float:
        """Makes a call whose observation opens with a number; that number."""
        return as_number(self.do(tool, **arguments).split()[0].rstrip("%"))


def as_number(text: str) -> int | float:
    """The number as a call would write it: 12 and not 12.0."""
    value = float(text)
    return int(value) if value.is_integer() else value
