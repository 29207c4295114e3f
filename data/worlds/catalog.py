"""Every world by name, and which of them may be trained on."""

from __future__ import annotations

from functools import cache

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.task import Split
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.calendar import CalendarWorld
from tooldrill.data.worlds.contacts import ContactsWorld
from tooldrill.data.worlds.files import FilesWorld
from tooldrill.data.worlds.inventory import InventoryWorld
from tooldrill.data.worlds.tickets import TicketsWorld

WORLDS: dict[str, type[World]] = {
    world.name: world
    for world in (FilesWorld, InventoryWorld, TicketsWorld, CalendarWorld, ContactsWorld)
}


@cache
def get_world(name: str) -> World:
    """The world of that name; its registry is introspected once.

    Raises:
        TooldrillError: when there is no such world.
    """
    if name not in WORLDS:
        raise TooldrillError(f"no world named {name!r}", f"name one of {', '.join(sorted(WORLDS))}")
    return WORLDS[name]()


def world_names(split: Split) -> tuple[str, ...]:
    """The worlds of a split."""
    return tuple(name for name, world in WORLDS.items() if world.split is split)
