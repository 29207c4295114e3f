"""The `library` world: documents to search, read, quote and collect on reading lists."""

from __future__ import annotations

from tooldrill.data.task import Split
from tooldrill.data.worlds import library_chains, library_restraint, library_tasks
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.library_session import LibrarySession


class LibraryWorld(World):
    """A reader's catalogue."""

    name = "library"
    split = Split.TRAIN
    session_type = LibrarySession
    book = library_tasks.BOOK + library_chains.BOOK + library_restraint.BOOK
