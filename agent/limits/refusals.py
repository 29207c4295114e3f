"""Which system calls a tool's process is refused, and why: what Landlock leaves open.

Landlock is about files. These are the other ways to what lies outside: sockets, signals, limits and
priorities of other processes, memory that is shared by number, the user's keys; and those by which
a process gets powers back or outlives its call. How they are refused is `seccomp`'s work.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from typing import NamedTuple

_NONE = 0
_ALL_BITS = 0xFFFFFFFF

# linux/sched.h
_CLONE_THREAD, _CLONE_NEW_SPACES = 0x00010000, 0x7E020000
# linux/socket.h: the internet, and AF_NETLINK, by which the C library learns of addresses.
_UNIX, _NETWORK_FAMILIES = 1, (2, 10, 16)
_SOCKET_TYPE = 0xF
_F_SETOWN, _F_SETOWN_EX = 8, 15
_PR_SET_PDEATHSIG = 1
_ONE_PROCESS, _IO_ONE_PROCESS = 0, 1
_EMPTYING = os.O_TRUNC | os.O_ACCMODE


class Rule(NamedTuple):
    """A call that is refused: always, or by the lower half of one of its arguments.

    Attributes:
        argument: its place; `mask` are the bits that are looked at.
        allowed: the values for which the call is not refused.
        refused: or else, the only values for which it is.
        upper: look at the upper half of the argument instead.
    """

    call: str
    reason: int = errno.EPERM
    argument: int = 0
    mask: int = _ALL_BITS
    allowed: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    upper: bool = False


def rules(programs: bool, network: bool, truncation: bool, process: int) -> Iterator[Rule]:
    """What is refused to `process` and all it starts.

    Args:
        programs: other programs may be executed and processes made. Threads always may.
        network: sockets of the internet families may be made; of other families none may, in
            any case: a service's socket in the file system is a way out (Docker's, for one).
        truncation: refuse to empty files by name too, for kernels whose Landlock does not hold it.
    """
    # Its requests pass by every filter; libraries do without.
    yield Rule("io_uring_setup", errno.ENOSYS)
    yield Rule("socket", errno.EACCES, allowed=_NETWORK_FAMILIES if network else ())
    # A pair of datagram sockets can be sent from to any service's socket; connected ones cannot.
    yield Rule("socketpair", errno.EACCES, allowed=(_UNIX,))
    connected = (int(socket.SOCK_STREAM), int(socket.SOCK_SEQPACKET))
    yield Rule("socketpair", errno.EACCES, argument=1, mask=_SOCKET_TYPE, allowed=connected)
    yield from _other_processes(process)
    for call in _POWERS + _BY_NUMBER:
        yield Rule(call)
    # Its flags lie in memory, where no filter can look: `clone` is what is used in its place.
    yield Rule("clone3", errno.ENOSYS)
    yield Rule("clone", mask=_CLONE_NEW_SPACES, allowed=(_NONE,))
    if truncation:
        yield from _truncation()
    if not programs:
        yield from _one_process(process)
        yield from _by_name()


# Spaces of one's own give root's powers inside of them; the others are seldom needed and were
# often a way into the kernel.
_POWERS = ("unshare", "setns", "bpf", "perf_event_open", "userfaultfd")
# What is reached by a number and not by a path, and outlives who made it: memory and queues shared
# by all programs of a user, and the keys that the kernel keeps for him.
_BY_NUMBER = (
    *("shmget", "shmat", "shmctl", "semget", "semop", "semtimedop", "semctl"),
    *("msgget", "msgsnd", "msgrcv", "msgctl", "mq_open"),
    *("add_key", "request_key", "keyctl"),
)


def _other_processes(process: int) -> Iterator[Rule]:
    """Limits and priorities of others: a limit of processor time kills as a signal does."""
    mine = (_NONE, process)
    for call in ("prlimit64", "sched_setparam", "sched_setscheduler", "sched_setattr"):
        yield Rule(call, allowed=mine)
    for call, kind in (("setpriority", _ONE_PROCESS), ("ioprio_set", _IO_ONE_PROCESS)):
        yield Rule(call, allowed=(kind,))
        yield Rule(call, argument=1, allowed=mine)


def _truncation() -> Iterator[Rule]:
    """Opening to write is Landlock's to refuse; emptying while opening to read is not, there."""
    reading = (os.O_TRUNC | os.O_RDONLY, os.O_TRUNC | os.O_ACCMODE)
    yield Rule("truncate")
    yield Rule("open", argument=1, mask=_EMPTYING, refused=reading)
    yield Rule("openat", argument=2, mask=_EMPTYING, refused=reading)
    yield Rule("openat2", errno.ENOSYS)


def _one_process(process: int) -> Iterator[Rule]:
    """No programs, no children, no signals but to itself; memory only where its limit counts it."""
    for call in ("execve", "execveat", "fork", "vfork", "memfd_create", "memfd_secret"):
        yield Rule(call)
    yield Rule("clone", mask=_CLONE_THREAD, allowed=(_CLONE_THREAD,))
    for call in ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
        yield Rule(call, allowed=(process,))
    for call in ("tkill", "pidfd_send_signal"):
        yield Rule(call)
    yield Rule("fcntl", argument=1, refused=(_F_SETOWN, _F_SETOWN_EX))
    # It ends with the guard, whatever it would rather do.
    yield Rule("prctl", refused=(_PR_SET_PDEATHSIG,))


def _by_name() -> Iterator[Rule]:
    """What Landlock does not hold of files outside: their bits and times, and who opens them.

    The same is allowed of an open file: see `open_files`.
    """
    for call in (
        *("chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat", "file_setattr"),
        *("setxattr", "lsetxattr", "setxattrat", "removexattr", "lremovexattr", "removexattrat"),
        *("utime", "utimes", "futimesat"),
        *("inotify_init", "inotify_init1", "fanotify_init"),
    ):
        yield Rule(call)
    # Without a name it is about an open file.
    yield Rule("utimensat", argument=1, allowed=(_NONE,))
    yield Rule("utimensat", argument=1, allowed=(_NONE,), upper=True)
