"""A seccomp filter: system calls that the kernel refuses to a tool's process and its children.

Which calls is decided in `refusals`; here they become a program for the kernel. Numbers are those
of linux/seccomp.h and linux/filter.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys
from collections.abc import Iterable
from functools import cache

from tooldrill.agent.limits.refusals import Rule, rules
from tooldrill.agent.limits.system_calls import MACHINES, Machine, number_of

_PR_GET_SECCOMP, _PR_SET_SECCOMP, _MODE_FILTER = 21, 22, 2

# Classic BPF: load a word of the call, keep some of its bits, compare it, end with an answer.
_LOAD, _KEEP, _IS, _AT_LEAST, _ANSWER = 0x20, 0x54, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ARGUMENT_SIZE, _WORD_SIZE = 8, 4

_X32 = 0x40000000

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
    if not sys.platform.startswith("linux") or platform.machine() not in MACHINES:
        return False
    if sys.maxsize < 2**32 or sys.byteorder != "little":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0)) >= 0


def restrict(programs: bool, network: bool, truncation: bool) -> None:
    """Installs the filter on the calling thread, and all it starts. For good.

    Args: those of `refusals.rules`.

    Raises:
        OSError: when the kernel refuses. The process must have set `no_new_privs`.
    """
    wanted = rules(programs, network, truncation, os.getpid())
    steps = _filter(MACHINES[platform.machine()], wanted)
    code = (_Instruction * len(steps))(*(_Instruction(*step) for step in steps))
    program = _Program(len(steps), code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _filter(machine: Machine, wanted: Iterable[Rule]) -> list[_Step]:
    steps: list[_Step] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        # Calls by the rules of another architecture (32 bits) have other numbers.
        (_IS, 1, 0, machine.audit),
        _refuse(errno.EPERM),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        _refuse(errno.ENOSYS),
    ]
    for rule in wanted:
        number = number_of(rule.call, machine)
        if number is not None:
            body = _body(rule)
            steps += [(_IS, 0, len(body), number), *body]
    return [*steps, (_ANSWER, 0, 0, _ALLOW)]


def _body(rule: Rule) -> list[_Step]:
    """What is done with a call of the rule's number: it is refused, or looked at and passed on."""
    answer = _refuse(rule.reason)
    values = rule.allowed or rule.refused
    if not values:
        return [answer]
    place = _FIRST_ARGUMENT + rule.argument * _ARGUMENT_SIZE + rule.upper * _WORD_SIZE
    last = len(values) - 1
    if rule.allowed:
        # Past the other values and the refusal.
        looks = [(_IS, last - i + 1, 0, value) for i, value in enumerate(values)]
    else:
        # To the refusal; past it after the last value.
        looks = [(_IS, last - i, int(i == last), value) for i, value in enumerate(values)]
    kept = [(_LOAD, 0, 0, place), (_KEEP, 0, 0, rule.mask)]
    # Other rules may have more to say of the same call.
    return [*kept, *looks, answer, (_LOAD, 0, 0, _NUMBER)]


def _refuse(reason: int) -> _Step:
    return (_ANSWER, 0, 0, _REFUSE | reason)
