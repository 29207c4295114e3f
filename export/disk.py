"""Whether the disk has room for a file of known size, asked before the work begins."""

from __future__ import annotations

import shutil
from pathlib import Path

from tooldrill.agent.errors import TooldrillError


def require_space(path: Path, size: int) -> None:
    """Refuses to begin a file of `size` bytes at `path` that its disk cannot hold.

    Raises:
        TooldrillError: when fewer than `size` bytes are free.
    """
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    free = shutil.disk_usage(folder).free
    if free < size:
        raise TooldrillError(
            f"{path.name} needs {size / 1e6:,.0f} MB and {folder} has {free / 1e6:,.0f} MB free",
            "free space there, or set another output folder, and run the same command again",
        )
