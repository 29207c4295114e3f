"""Where a call is carried out: the boundary between the loop and the tools.

Worlds (data stage) and a user's own functions both stand behind `Environment`.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

ERROR_PREFIX = "ERROR"


class Observation(NamedTuple):
    """What came back from a call; an error's text starts with `ERROR`."""

    text: str
    error: bool = False

    @classmethod
    def failure(cls, reason: str) -> Observation:
        return cls(f"{ERROR_PREFIX}: {reason}", error=True)

    @classmethod
    def raised(cls, error: BaseException) -> Observation:
        """What a tool raised: its type and its text, which may itself raise."""
        try:
            reason = f"{type(error).__name__}: {error}"
        except (Exception, SystemExit):
            reason = f"{type(error).__name__}, which says nothing that can be shown"
        return cls.failure(reason)


class ToolError(Exception):
    """What a tool raises to refuse: its text is what the model reads.

    A parameter or tool that is named in the text stands in backticks, so that a masked task can
    rename it there too.
    """


class Environment(Protocol):
    """Executes calls over some state. Never raises for what a model wrote."""

    def call(self, name: str, arguments: dict[str, Any]) -> Observation: ...
