"""Giving freed memory back to the system, between steps that use it in different shapes.

The C library keeps what was freed for what comes next; beside a model that is mapped into memory
that would count twice.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# From glibc's malloc.h, mallopt(3): blocks this large are mapped, and unmapped when freed. By
# itself the limit grows with what is freed, up to the second figure.
_M_MMAP_THRESHOLD = -3
_MAPPED_FROM = 2**20
_LARGEST = 32 * 2**20


def give_back() -> None:
    """Returns what is free to the system, where the C library can (glibc)."""
    gc.collect()
    if trim := _glibc("malloc_trim"):
        trim(0)


@contextmanager
def large_blocks_given_back() -> Iterator[None]:
    """Within it, large blocks go back to the system as soon as they are freed (glibc)."""
    limit = _glibc("mallopt")
    if limit is None:
        yield
        return
    limit(_M_MMAP_THRESHOLD, _MAPPED_FROM)
    try:
        yield
    finally:
        limit(_M_MMAP_THRESHOLD, _LARGEST)


def _glibc(name: str) -> Any:
    """The function of the C library; None where it is another one."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
