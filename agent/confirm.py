"""A person between the loop and tools that may change something.

What a tool may do at all is decided in `limits`; this is for what is allowed and still wants a
look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tooldrill.agent.environment import Environment, Observation
from tooldrill.agent.tool import Registry

Ask = Callable[[str, dict[str, Any]], bool]


class ConfirmedEnvironment:
    """An environment that asks before each call that may write.

    Only a tool that is known to change nothing (`Tool.writes` is False) is called without asking.

    Args:
        inner: carries out what was agreed to.
        registry: its tools.
        ask: takes a tool's name and the arguments; whether they may be carried out.
    """

    def __init__(self, inner: Environment, registry: Registry, ask: Ask) -> None:
        self._inner = inner
        self._registry = registry
        self._ask = ask

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        harmless = name in self._registry and self._registry[name].writes is False
        if harmless or self._ask(name, arguments):
            return self._inner.call(name, arguments)
        return Observation.failure(f"the user did not allow this call of {name}")
