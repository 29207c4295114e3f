"""Whether the disk has room for files of known sizes, asked before the work begins."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from tooldrill.agent.errors import TooldrillError

# Metadata, above all the vocabulary, and what else a disk needs to breathe.
_BESIDES = 32 * 2**20


def require_space(path: Path, size: int) -> None:
    """Refuses to begin a file of `size` bytes at `path` that its disk cannot hold.

    Raises:
        TooldrillError: when fewer than `size` bytes are free.
    """
    folder, free = _free(path)
    if free < size:
        raise TooldrillError(
            f"{path.name} needs {_mb(size)} and {folder} has {_mb(free)} free",
            "free space there, or set another output folder, and run the same command again",
        )


def require_room(folder: Path, sizes: Mapping[str, int], dispensable: str | None = None) -> None:
    """Refuses to begin files that their disk cannot hold all at once.

    Args:
        folder: where they will lie; need not exist.
        sizes: bytes by what the files are called.
        dispensable: how to ask for less, `export.quantizations=[Q8_0]`; None: nothing less works.

    Raises:
        TooldrillError: with what is missing.
    """
    place, free = _free(folder / "any")
    missing = sum(sizes.values()) + _BESIDES - free
    if missing <= 0:
        return
    listed = ", ".join(f"{name} {_mb(size)}" for name, size in sizes.items())
    less = f", or leave something out: {dispensable}" if dispensable else ""
    raise TooldrillError(
        f"the export needs {_mb(sum(sizes.values()) + _BESIDES)} and {place} has {_mb(free)} free:"
        f" {_mb(missing)} are missing ({listed})",
        f"free space there{less}, and run the same command again",
    )


def _free(path: Path) -> tuple[Path, int]:
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    return folder, shutil.disk_usage(folder).free


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
