"""Landlock, the Linux kernel's sandbox for unprivileged processes, through its three system calls.

A rule opens a folder, or a file, and everything below it; what no rule opens is refused, by
whichever path it is reached: the kernel looks at the file and not at the name. Numbers and
structures are those of linux/landlock.h. Which paths are opened is decided in `roots`.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

# The same numbers on every architecture that Python runs on, alpha aside.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_RULE_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_CHAR, _MAKE_DIR = 1 << 4, 1 << 5, 1 << 6, 1 << 7
_MAKE_REG, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK = 1 << 8, 1 << 9, 1 << 10, 1 << 11
_MAKE_SYM, _REFER, _TRUNCATE, _IOCTL_DEV = 1 << 12, 1 << 13, 1 << 14, 1 << 15

READ = READ_FILE | READ_DIR
# No device nodes, and nothing that can be executed.
WRITE = (
    READ
    | WRITE_FILE
    | _REMOVE_DIR
    | _REMOVE_FILE
    | _MAKE_DIR
    | _MAKE_REG
    | _MAKE_SOCK
    | _MAKE_FIFO
    | _MAKE_SYM
    | _REFER
    | _TRUNCATE
)
_ON_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL_DEV

_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_ABSTRACT_UNIX_SOCKET, _SIGNAL = 1 << 0, 1 << 1


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


@cache
def version() -> int:
    """The version of Landlock's interface in this kernel; 0 where there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    try:
        return _call(_CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError:
        return 0  # not compiled in, or not enabled when the machine was started


def holds_truncation() -> bool:
    """Whether a file that may not be written cannot be emptied either (Linux 6.2)."""
    return version() >= 3


def restrict(rules: Iterable[tuple[Path, int]], network: bool) -> None:
    """Restricts the calling thread, and all it starts, to what the rules open. For good.

    Args:
        rules: a path that exists, and the accesses to it and to everything below; those that
            this kernel does not know, and those that a file cannot have, are left out.
        network: leave TCP alone.

    Raises:
        OSError: when the kernel refuses; nothing is restricted then. The process must have set
            `no_new_privs`.
    """
    handled = _handled_files()
    ruleset = _Ruleset(handled, 0, 0)
    size = 8
    if version() >= 4:
        ruleset.handled_access_net = 0 if network else _BIND_TCP | _CONNECT_TCP
        size = 16
    if version() >= 6:
        ruleset.scoped = _ABSTRACT_UNIX_SOCKET | _SIGNAL
        size = 24
    descriptor = _call(_CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    try:
        for path, access in rules:
            _open_path(descriptor, path, access & handled)
        _call(_RESTRICT_SELF, descriptor, 0)
    finally:
        os.close(descriptor)


def _handled_files() -> int:
    known = 13 + (version() >= 2) + (version() >= 3) + (version() >= 5)
    return (1 << known) - 1


def _open_path(ruleset: int, path: Path, access: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            access &= _ON_A_FILE
        rule = _PathBeneath(access, descriptor)
        _call(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    # Untyped integers would be passed as C ints, of which the upper half is undefined.
    passed = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result: int = libc.syscall(ctypes.c_long(number), *passed)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
