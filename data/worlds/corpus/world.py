"""The `library` world: documents to search, read, quote and collect on reading lists."""

from __future__ import annotations

from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.corpus import chains, restraint, tasks
from tooldrill.data.worlds.corpus.session import LibrarySession


class LibraryWorld(World):
    """A reader's catalogue."""

    name = "library"
    split = Split.TRAIN
    session_type = LibrarySession
    book = tasks.BOOK + chains.BOOK + restraint.BOOK
