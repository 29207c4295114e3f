"""Forged worlds by number: `forge_world(123)` is the same world in every process.

Training worlds are named `forge-000123`, held-out ones `forge-h-000123`; the two splits share no
noun, no tool name, no set of parameter names (see `naming.side`) and no frame of a request.
"""

from __future__ import annotations

import random
import re
from functools import cached_property, lru_cache
from typing import Any

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.tool import Registry
from tooldrill.data.forge.design import blueprint
from tooldrill.data.forge.restraint import restrain_templates
from tooldrill.data.forge.session import ForgeSession
from tooldrill.data.forge.templates import act_templates
from tooldrill.data.tasks.task import Split, TaskKind
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.book import Book, Template

# Worlds kept ready: a block of tasks comes back to the same few, and none may pile up.
_KEPT = 512

_NAMES = {Split.TRAIN: "forge-{:06}", Split.HELDOUT: "forge-h-{:06}"}


class ForgeWorld(World):
    """One forged world; everything of it follows from split and number."""

    session_type = ForgeSession
    own_voices = True

    def __init__(self, number: int, split: Split) -> None:
        self.number = number
        self.name = _NAMES[split].format(number)  # type: ignore[misc]
        self.split = split  # type: ignore[misc]
        self.blueprint = blueprint(random.Random(f"forge:{split.value}:{number}"), split)
        self._ops = {op.name: op for op in self.blueprint.ops}

    @property
    def tool_names(self) -> tuple[str, ...]:
        return tuple(self._ops)

    @cached_property
    def registry(self) -> Registry:
        """Every tool of the world."""
        return Registry(op.tool() for op in self.blueprint.ops)

    def open(self, state: dict[str, Any]) -> ForgeSession:
        """A fresh session over a copy of `state`."""
        return ForgeSession(state, self.blueprint, self._ops)

    @cached_property
    def book(self) -> Book:  # type: ignore[override]
        """The shapes of tasks that the world's operations allow."""
        book = Book()
        book.templates = [
            *act_templates(self.blueprint, self.split),
            *restrain_templates(self.blueprint, self.split),
        ]
        return book

    def templates(self, kind: TaskKind) -> tuple[Template, ...]:
        restrain = kind is TaskKind.RESTRAIN
        return tuple(t for t in self.book.templates if t.restrain == restrain)


def forge_world(number: int, split: Split = Split.TRAIN) -> ForgeWorld:
    """The forged world of that number.

    Raises:
        TooldrillError: when the number is not between 0 and 999,999.
    """
    if not 0 <= number < 1_000_000:
        raise TooldrillError(
            f"there is no forged world {number}", "take a number between 0 and 999999"
        )
    return _kept(number, split)


@lru_cache(maxsize=_KEPT)
def _kept(number: int, split: Split) -> ForgeWorld:
    return ForgeWorld(number, split)


def forge_name(number: int, split: Split = Split.TRAIN) -> str:
    """The name under which the world of that number is found again."""
    return _NAMES[split].format(number)


def named_forge_world(name: str) -> ForgeWorld | None:
    """The forged world of that name; None when the name is not one of the forge's."""
    match = re.fullmatch(r"forge-(h-)?(\d{6})", name)
    if match is None:
        return None
    return forge_world(int(match[2]), Split.HELDOUT if match[1] else Split.TRAIN)
