"""Writing that is whole or absent: a temporary name beside the target, then a rename.

A run can be killed at any moment; what lies under its final name is always complete.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tooldrill.agent.errors import TooldrillError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Gives a temporary file path that becomes `path` when the block ends without an error.

    Raises:
        TooldrillError: when the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with _disk_errors(path):
            yield temporary
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Like `atomic_path` for a folder; a folder already at `path` is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        with _disk_errors(path):
            yield temporary
            _replace_directory(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, "utf-8")


def _replace_directory(new: Path, path: Path) -> None:
    # A folder cannot be replaced in one step: the old one steps aside first.
    aside = path.with_name(f".{path.name}.{os.getpid()}.old")
    if path.exists():
        path.replace(aside)
    new.replace(path)
    shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise TooldrillError(
            f"the disk is full while writing {path}",
            f"free space on {path.parent} and run the same command again: it goes on from here",
        ) from error
