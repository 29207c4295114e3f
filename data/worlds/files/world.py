"""The `files` world: the agent's own file tools over a temporary folder that they cannot leave.

State: `{"files": {path: text}}`, with `/` in paths. There is no tool that runs a command.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from tooldrill.agent.file_tools.folder import Folder
from tooldrill.agent.file_tools.tools import FileTools
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.base import Session, World
from tooldrill.data.worlds.files import chains, lookups, restraint, tasks

MAX_FILE_BYTES = 1_000_000


class FilesSession(FileTools, Session):
    """One sandboxed folder."""

    def __init__(self, state: dict[str, Any]) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="tooldrill-files-")).resolve()
        super().__init__(Folder(self._root, MAX_FILE_BYTES), skipped=frozenset())
        for name, text in state["files"].items():
            self._folder.write(name, text.encode())

    def close(self) -> None:
        self._folder.close()
        shutil.rmtree(self._root, ignore_errors=True)

    def snapshot(self) -> dict[str, Any]:
        """Trailing newlines do not count: nobody asks for them."""
        return {"files": {name: self._text(name).rstrip("\n") for name in self._walk(".")}}


class FilesWorld(World):
    """A sandboxed folder."""

    name = "files"
    split = Split.TRAIN
    session_type = FilesSession
    book = tasks.BOOK + lookups.BOOK + chains.BOOK + restraint.BOOK
