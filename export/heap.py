"""Giving freed memory back to the system, between steps that use it in different shapes.

The C library keeps what was freed for what comes next; beside a model that is mapped into memory
that would count twice.
"""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back() -> None:
    """Returns what is free to the system, where the C library can (glibc)."""
    gc.collect()
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
