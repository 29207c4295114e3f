"""What must not come in through an importer: tools, parameter sets and wordings held out.

Names are compared without case and separators, so that `createEvent` does not pass for another name
than `create_event`. Of a wording, each run of at least five words between its gaps is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from tooldrill.agent.names import plain
from tooldrill.agent.tool import Registry
from tooldrill.data.ingest.conversation import DroppedError
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.catalog import get_world, world_names

_WORDS = 5
_FORGED = "forge-h-"  # how the names of held-out forged worlds begin


class _HeldOut(NamedTuple):
    worlds: frozenset[str]
    tools: frozenset[str]
    parameters: frozenset[frozenset[str]]
    wordings: tuple[str, ...]


def refuse_heldout(world: str, registry: Registry, requests: Iterable[str]) -> None:
    """Refuses what evaluation is meant to measure.

    Raises:
        DroppedError: for a held-out world, tool name, set of parameter names or wording.
    """
    heldout = _heldout()
    if is_heldout(world):
        raise DroppedError("heldout_world", world)
    for tool in registry:
        if plain(tool.name) in heldout.tools:
            raise DroppedError("heldout_tool", tool.name)
        if frozenset(map(plain, tool.parameter_names)) in heldout.parameters:
            names = ", ".join(p.name for p in tool.parameters)
            raise DroppedError("heldout_parameters", f"{tool.name}({names})")
    for request in requests:
        words = _words(request)
        found = next((wording for wording in heldout.wordings if wording in words), None)
        if found is not None:
            raise DroppedError("heldout_wording", found.strip())


def is_heldout(world: str) -> bool:
    """Whether a world of that name, forged ones included, is for evaluation alone."""
    return world in _heldout().worlds or world.startswith(_FORGED)


@cache
def _heldout() -> _HeldOut:
    names = world_names(Split.HELDOUT)
    tools = [tool for name in names for tool in get_world(name).registry]
    runs = [
        _words(piece)
        for name in names
        for wording in get_world(name).book.wordings
        for piece in re.split(r"\{[^{}]*\}", wording)
    ]
    return _HeldOut(
        frozenset(names),
        frozenset(plain(tool.name) for tool in tools),
        # A tool without parameters has the set that countless others have.
        frozenset(frozenset(map(plain, t.parameter_names)) for t in tools if t.parameters),
        tuple(dict.fromkeys(run for run in runs if len(run.split()) >= _WORDS)),
    )


def _words(text: str) -> str:
    """Words in lower case between single blanks, one at each end: a run of words is a substring."""
    words = re.findall(r"[^\W_]+", text.casefold())
    return f" {' '.join(words)} "
