"""A session in which some tools are refused and others say more than they were asked.

Both are laid over the world's own session: the state is never touched by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tooldrill.agent.environment import Observation
from tooldrill.data.tasks.task import Padding
from tooldrill.data.worlds.base import Session


class StagedSession(Session):
    """A session seen through a task's `broken` tools and its `padding`.

    Args:
        inner: the session as the task shows it (masked or not); closed with this one.
        broken: error texts by tool name; such a tool is never carried out.
        padding: text around the observations of some tools; errors stay bare.
    """

    def __init__(
        self, inner: Session, broken: Mapping[str, str], padding: Padding | None = None
    ) -> None:
        self._inner = inner
        self._broken = broken
        self._padding = padding

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        if name in self._broken:
            return Observation.failure(self._broken[name])
        observation = self._inner.call(name, arguments)
        if observation.error or self._padding is None or name not in self._padding.tools:
            return observation
        return Observation(pad(self._padding, observation.text))

    def snapshot(self) -> dict[str, Any]:
        return self._inner.snapshot()

    def close(self) -> None:
        self._inner.close()


def pad(padding: Padding, text: str) -> str:
    """An observation with the padding around it."""
    return f"{padding.before}{text}{padding.after}"
