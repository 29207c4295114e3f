"""Every world by name, and which of them may be trained on."""

from __future__ import annotations

from functools import cache

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.calendar.world import CalendarWorld
from tooldrill.data.worlds.composed import JOINED_BY, ComposedWorld
from tooldrill.data.worlds.contacts.world import ContactsWorld
from tooldrill.data.worlds.convert.world import ConvertWorld
from tooldrill.data.worlds.corpus.world import LibraryWorld
from tooldrill.data.worlds.files.world import FilesWorld
from tooldrill.data.worlds.inventory.world import InventoryWorld
from tooldrill.data.worlds.jobs.world import JobsWorld
from tooldrill.data.worlds.kitchen.world import KitchenWorld
from tooldrill.data.worlds.mail.world import MailWorld
from tooldrill.data.worlds.settings_store.world import ConfigWorld
from tooldrill.data.worlds.tickets.world import TicketsWorld

WORLDS: dict[str, type[World]] = {
    world.name: world
    for world in (
        FilesWorld,
        InventoryWorld,
        TicketsWorld,
        MailWorld,
        ConfigWorld,
        ConvertWorld,
        LibraryWorld,
        JobsWorld,
        CalendarWorld,
        ContactsWorld,
        KitchenWorld,
    )
}


def get_world(name: str) -> World:
    """The world of that name; `forge-000123` is the forged world of that number.

    `calendar+contacts` is both of them at once (see `composed`).

    Raises:
        TooldrillError: when there is no such world.
    """
    if name in WORLDS:
        return _written(name)
    if JOINED_BY in name:
        return _composed(name)
    # The forge keeps clear of the names of the worlds here, so it is imported after them.
    from tooldrill.data.forge.world import named_forge_world

    forged = named_forge_world(name)
    if forged is not None:
        return forged
    listed = ", ".join(sorted(WORLDS))
    raise TooldrillError(f"no world named {name!r}", f"name one of {listed}, or forge-000001")


@cache
def _written(name: str) -> World:
    """A hand-written world; its registry is introspected once."""
    return WORLDS[name]()


@cache
def _composed(name: str) -> World:
    return ComposedWorld([get_world(part) for part in name.split(JOINED_BY)])


def world_names(split: Split) -> tuple[str, ...]:
    """The worlds of a split."""
    return tuple(name for name, world in WORLDS.items() if world.split is split)
