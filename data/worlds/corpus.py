"""The `library` world: documents to search, read, quote and collect on reading lists."""

from __future__ import annotations

from tooldrill.data.task import Split
from tooldrill.data.worlds import corpus_chains, corpus_restraint, corpus_tasks
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.corpus_session import LibrarySession


class LibraryWorld(World):
    """A reader's catalogue."""

    name = "library"
    split = Split.TRAIN
    session_type = LibrarySession
    book = corpus_tasks.BOOK + corpus_chains.BOOK + corpus_restraint.BOOK
