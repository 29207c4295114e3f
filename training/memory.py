"""How much memory may still be taken: by the machine, the container and the shell's limit.

`free` and psutil tell the machine's memory; a container that is allowed a part of it is killed at
that part. Without torch, for `doctor` and estimates; a GPU's memory is asked of torch by `probe`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

_CGROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def free_memory() -> int:
    """Bytes that this process may still take: the least of what all who limit it leave."""
    return max(0, min([psutil.virtual_memory().available, *_left_by_limits()]))


def _left_by_limits() -> Iterator[int]:
    if sys.platform != "linux":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        yield limit - psutil.Process().memory_info().vms
    try:
        own = _OWN.read_text("utf-8")
    except OSError:
        return
    yield from left_by_cgroups(_CGROUPS, own)


def left_by_cgroups(root: Path, own: str) -> Iterator[int]:
    """What the control groups (version 2) of a process leave of their memory, in bytes.

    Args:
        root: where the groups are mounted; own: the text of /proc/self/cgroup.
    """
    line = next((line for line in own.splitlines() if line.startswith("0::")), None)
    if line is None:
        return
    group = root / line.removeprefix("0::").strip("/")
    for folder in (group, *group.parents):
        if not folder.is_relative_to(root):
            return
        limit, used = _number(folder / "memory.max"), _number(folder / "memory.current")
        if limit is not None and used is not None:
            yield limit - used + _reclaimable(folder / "memory.stat")


def _number(path: Path) -> int | None:
    """None for a file that is not there, or says `max`."""
    try:
        text = path.read_text("ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _reclaimable(path: Path) -> int:
    """Pages of files that the kernel drops when memory is wanted."""
    try:
        lines = path.read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("inactive_file ")), 0)
