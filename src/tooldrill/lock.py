"""One process at a time in a run's folder.

The lock belongs to the operating system's file handle: it goes away with the process, however that
ends, so there is never a stale lock to remove.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tooldrill.agent.errors import TooldrillError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder's lock for the block.

    Raises:
        TooldrillError: when another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _try_lock(handle):
            holder = os.pread(handle, 20, _PID_AT).decode().strip() if _has_pread() else ""
            who = f" (process {holder})" if holder else ""
            raise TooldrillError(
                f"another tooldrill is at work in {folder}{who}",
                "wait until it ends, or give this run another name: add `name=other`",
            )
        os.ftruncate(handle, 0)
        os.lseek(handle, _PID_AT, os.SEEK_SET)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)


# Windows locks bytes and forbids reading them: the number stands behind the locked byte.
_PID_AT = 1


def _has_pread() -> bool:
    return hasattr(os, "pread")


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
