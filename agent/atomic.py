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

_NOTHING = 1 << 20  # bytes that are left on a disk on which nothing more can be written


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Gives a temporary file path that becomes `path` when the block ends without an error.

    Raises:
        TooldrillError: when the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with full_disk_told(path):
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
        with full_disk_told(path):
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
def full_disk_told(path: Path) -> Iterator[None]:
    """Tells in one line that the disk of `path` is full, whoever writes in the block.

    Raises:
        TooldrillError: in the place of what the system, safetensors, tokenizers and torch raise.
    """
    try:
        yield
    except TooldrillError:
        raise
    except Exception as error:
        if not _is_full(error, path):
            raise
        raise TooldrillError(
            f"the disk is full while writing {path}",
            f"free space on {path.parent} and run the same command again: it goes on from here",
        ) from error


def _is_full(error: Exception, path: Path) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    said = str(error)
    if any(os.strerror(number) in said for number in (errno.ENOSPC, errno.EDQUOT)):
        return True  # libraries in Rust have errors of their own
    # torch's says where in its source a write was short, and not why.
    folder = next(one for one in (path, *path.absolute().parents) if one.is_dir())
    return "inline_container.cc" in said and shutil.disk_usage(folder).free < _NOTHING
