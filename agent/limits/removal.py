"""Removing what tools have left in a folder, however deep it is and whatever its permissions.

The standard library's way calls itself for every level, which a tool can have more of than Python
has room for. For folders in which nobody writes any more.
"""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count
from pathlib import Path

_OURS = 0o700


def remove_folder(folder: Path) -> None:
    """Removes a folder with all that is in it; what the system refuses to remove stays."""
    with suppress(OSError):
        folder.chmod(_OURS)
        numbers = count()
        while _flattened(folder, numbers):
            pass
        folder.rmdir()


def _flattened(folder: Path, numbers: count[int]) -> bool:
    """Removes files and empty folders, and moves those two levels down up; whether there were any.

    So no name gets longer than three parts, and every folder is moved but once.
    """
    moved = False
    for entry in list(folder.iterdir()):
        if not _is_folder(entry):
            entry.unlink()
            continue
        entry.chmod(_OURS)
        for inner in list(entry.iterdir()):
            if _is_folder(inner):
                inner.chmod(_OURS)  # a folder that is moved is written to
                inner.rename(_unused(folder, numbers))
                moved = True
            else:
                inner.unlink()
        entry.rmdir()
    return moved


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _unused(folder: Path, numbers: count[int]) -> Path:
    names = (folder / f".{number}" for number in numbers)
    return next(name for name in names if not os.path.lexists(name))
