"""`os.chmod`, `os.utime` and `os.truncate` in a worker: by way of an open file.

By name the kernel refuses them to a worker (see `refusals`), since Landlock does not hold them.
What can be opened lies where it may be, so the same is done to the open file; `shutil.copy` and
others go on working. Code that is not Python's has to do likewise.
"""

from __future__ import annotations

import os
from typing import Any

_AnyPath = int | str | bytes | os.PathLike[str] | os.PathLike[bytes]
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY

_utime = os.utime


def install() -> None:
    """Puts them in the place of the functions of `os`, for this process."""
    os.chmod = _chmod_of_open
    os.utime = _utime_of_open
    os.truncate = _truncate_of_open


def _chmod_of_open(
    path: _AnyPath, mode: int, *, dir_fd: int | None = None, follow_symlinks: bool = True
) -> None:
    if isinstance(path, int):
        os.fchmod(path, mode)
        return
    descriptor = _opened(path, dir_fd, follow_symlinks)
    try:
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def _utime_of_open(
    path: _AnyPath,
    times: tuple[float, float] | None = None,
    *,
    dir_fd: int | None = None,
    follow_symlinks: bool = True,
    **nanoseconds: Any,
) -> None:
    if isinstance(path, int):
        _utime(path, times, **nanoseconds)
        return
    descriptor = _opened(path, dir_fd, follow_symlinks)
    try:
        _utime(descriptor, times, **nanoseconds)
    finally:
        os.close(descriptor)


def _truncate_of_open(path: _AnyPath, length: int) -> None:
    if isinstance(path, int):
        os.ftruncate(path, length)
        return
    descriptor = os.open(path, os.O_WRONLY | _FLAGS)
    try:
        os.ftruncate(descriptor, length)
    finally:
        os.close(descriptor)


def _opened(path: Any, folder: int | None, follow: bool) -> int:
    flags = _FLAGS if follow else _FLAGS | os.O_NOFOLLOW
    try:
        return os.open(path, flags | os.O_RDONLY, dir_fd=folder)
    except PermissionError:
        # A file that may be written and not read.
        return os.open(path, flags | os.O_WRONLY, dir_fd=folder)
