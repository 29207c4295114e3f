"""Limits of the calling process by the oldest means: resource limits, and root without its powers.

They hold for its children too. What it may reach is decided in `confinement`.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

import psutil

from tooldrill.agent.limits.settings import ToolLimits

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
_CAPABILITIES_VERSION = 0x20080522
# Root in a container writes a workspace that belongs to somebody else by this one.
_DAC_OVERRIDE = 1 << 1
# Of tools that start no processes, and of MCP servers: more than any of them needs.
_THREADS = 1024
_LINUX = sys.platform.startswith("linux")


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def limit_resources(limits: ToolLimits) -> None:
    """Memory, size of a file, no core files, and the number of processes and threads.

    Memory is what is written to, of every process by itself, and not what is merely mapped
    (`RLIMIT_DATA`): libraries reserve far more address space than they use. A bound on that, four
    times as high, holds back memory that is mapped as shared. Only Linux keeps these two.
    """
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
    if _LINUX:
        _limit(resource.RLIMIT_DATA, limits.memory)
    # It counts all tasks of the user, also those that were there before; root is exempt.
    room = limits.processes if limits.allow_shell else max(limits.processes, _THREADS)
    _limit(resource.RLIMIT_NPROC, _tasks_of_user() + room)


def limit_addresses(limits: ToolLimits) -> None:
    """The bound on address space; not for runtimes that reserve it freely, such as Node's."""
    if _LINUX:
        _limit(resource.RLIMIT_AS, 4 * limits.memory)


def _limit(which: int, most: int) -> None:
    _, hard = resource.getrlimit(which)
    value = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (value, value))


def _tasks_of_user() -> int:
    me, count = os.getuid(), 0
    for process in psutil.process_iter(["uids", "num_threads"]):
        uids = process.info["uids"]
        if uids is not None and uids.real == me:
            count += process.info["num_threads"] or 1
    return count


def drop_privileges() -> None:
    """No program gives more rights from here on, and root keeps none that reach beyond files.

    Without this root would lift its resource limits again, and could change the machine.

    Raises:
        OSError: when the kernel refuses.
    """
    if not _LINUX:
        return
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = _Header(_CAPABILITIES_VERSION, 0), (_Sets * 2)()
    _check(libc.capget(ctypes.byref(header), sets))
    kept = sets[0].permitted & _DAC_OVERRIDE
    lowered = (_Sets * 2)(_Sets(kept, kept, 0), _Sets(0, 0, 0))
    _check(libc.capset(ctypes.byref(header), lowered))


def adopt_orphans() -> None:
    """What children of this process leave behind becomes its own child, to be found and ended."""
    if _LINUX:
        prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(signal: int) -> None:
    """This process gets `signal` when the one that started it ends."""
    if _LINUX:
        prctl(_PR_SET_PDEATHSIG, signal)


def prctl(option: int, value: int) -> None:
    """The system call `prctl` with one argument."""
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = (ctypes.c_ulong(value), *(ctypes.c_ulong(0) for _ in range(3)))
    _check(libc.prctl(option, *arguments))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
