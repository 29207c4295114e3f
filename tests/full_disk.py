"""A disk that is really full: a tiny tmpfs in a mount namespace of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]


@cache
def can_mount(folder: Path) -> bool:
    """Whether this system lets anybody mount a tmpfs for himself."""
    mount = [*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", str(folder)]
    try:
        return subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def run_on(disk: Path, size: str, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs Python with a disk of `size` mounted at `disk`."""
    disk.mkdir()
    command = 'mount -t tmpfs -o size="$0" tmpfs "$1" && shift && exec "$@"'
    return subprocess.run(
        [*UNSHARE, "sh", "-c", command, size, str(disk), sys.executable, "-c", script, *arguments],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
