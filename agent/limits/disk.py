"""Room on the disk: a call is stopped before it has filled it.

Sizes of single files are held by the kernel (`process_limits`); of many files nothing is, so the
agent looks while it waits.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from tooldrill.agent.limits.settings import MIB

# What a call may still take of a disk that has too little room when it begins.
_SLACK_BYTES, _SLACK_FILES = 64 * MIB, 1000
_LEAST_FILES = 10_000


class DiskRoom:
    """The room that a call must leave in folders, from what there is when it begins.

    Args:
        least: bytes; fewer where there are hardly as many now.
    """

    def __init__(self, folders: Iterable[Path], least: int) -> None:
        self._floors = {folder: _floor(_room(folder), least) for folder in folders}

    def is_taken(self) -> bool:
        """Whether one of the folders has less room than it must."""
        for folder, (least_bytes, least_files) in self._floors.items():
            free_bytes, free_files = _room(folder)
            if free_bytes < least_bytes or free_files < least_files:
                return True
        return False


def _floor(room: tuple[int, int], least: int) -> tuple[int, int]:
    return min(least, room[0] - _SLACK_BYTES), min(_LEAST_FILES, room[1] - _SLACK_FILES)


def _room(folder: Path) -> tuple[int, int]:
    """Bytes and files that may still come; file systems without a bound on files say 0 of 0."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return 0, 0  # the folder is gone: nothing is written there
    return disk.f_bavail * disk.f_frsize, disk.f_favail
