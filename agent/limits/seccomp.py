"""A seccomp filter: system calls that the kernel refuses to a tool's process and its children.

It closes what Landlock leaves open: sockets that are not TCP, programs that lie in memory and not
in a file, processes that outlive their call. Numbers are those of linux/seccomp.h, linux/filter.h
and the system call tables. Files are the work of `landlock`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys
from functools import cache
from typing import NamedTuple

_PR_GET_SECCOMP, _PR_SET_SECCOMP, _MODE_FILTER = 21, 22, 2

# Classic BPF: load a word of the call, compare it, end with an answer.
_LOAD, _IS, _AT_LEAST, _HAS_BITS, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16

_X32 = 0x40000000
_CLONE_THREAD = 0x00010000
# AF_INET, AF_INET6, and AF_NETLINK, by which the C library learns of the machine's addresses.
_NETWORK_FAMILIES = (2, 10, 16)


class _Machine(NamedTuple):
    """An architecture's name in a filter, and its numbers of the calls."""

    audit: int
    socket: int
    clone: int
    execve: int
    execveat: int
    forks: tuple[int, ...] = ()
    clone3: int = 435
    io_uring_setup: int = 425


_MACHINES = {
    "x86_64": _Machine(0xC000003E, 41, 56, 59, 322, forks=(57, 58)),
    "aarch64": _Machine(0xC00000B7, 198, 220, 221, 281),
    "riscv64": _Machine(0xC00000F3, 198, 220, 221, 281),
}

_Step = tuple[int, int, int, int]


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("jump_if", ctypes.c_uint8),
        ("jump_else", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("first", ctypes.POINTER(_Instruction)))


@cache
def available() -> bool:
    """Whether this kernel takes filters, and the numbers of its machine are known here."""
    if not sys.platform.startswith("linux") or platform.machine() not in _MACHINES:
        return False
    if sys.maxsize < 2**32 or sys.byteorder != "little":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0)) >= 0


def restrict(programs: bool, network: bool) -> None:
    """Installs the filter on the calling thread, and all it starts. For good.

    Args:
        programs: other programs may be executed and processes made. Threads always may.
        network: sockets of the internet families may be made; of other families none may, in
            any case: a service's socket in the file system is a way out (Docker's, for one).

    Raises:
        OSError: when the kernel refuses. The process must have set `no_new_privs`.
    """
    steps = _filter(_MACHINES[platform.machine()], programs, network)
    code = (_Instruction * len(steps))(*(_Instruction(*step) for step in steps))
    program = _Program(len(steps), code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _filter(machine: _Machine, programs: bool, network: bool) -> list[_Step]:
    steps: list[_Step] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        # Calls by the rules of another architecture (32 bits) have other numbers.
        (_IS, 1, 0, machine.audit),
        _refuse(errno.EPERM),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        _refuse(errno.ENOSYS),
        # Its requests pass by every filter; libraries do without.
        *_refuse_call(machine.io_uring_setup, errno.ENOSYS),
    ]
    families = _NETWORK_FAMILIES if network else ()
    steps += [
        (_IS, 0, len(families) + 3, machine.socket),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        *((_IS, len(families) - i, 0, family) for i, family in enumerate(families)),
        _refuse(errno.EACCES),
        (_ANSWER, 0, 0, _ALLOW),
    ]
    if not programs:
        for number in (machine.execve, machine.execveat, *machine.forks):
            steps += _refuse_call(number, errno.EPERM)
        # Its flags lie in memory, where no filter can look: `clone` is what is used in its place.
        steps += _refuse_call(machine.clone3, errno.ENOSYS)
        steps += [
            (_IS, 0, 4, machine.clone),
            (_LOAD, 0, 0, _FIRST_ARGUMENT),
            (_HAS_BITS, 1, 0, _CLONE_THREAD),
            _refuse(errno.EPERM),
            (_ANSWER, 0, 0, _ALLOW),
        ]
    return [*steps, (_ANSWER, 0, 0, _ALLOW)]


def _refuse_call(number: int, reason: int) -> list[_Step]:
    return [(_IS, 0, 1, number), _refuse(reason)]


def _refuse(reason: int) -> _Step:
    return (_ANSWER, 0, 0, _REFUSE | reason)
