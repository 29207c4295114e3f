"""What this machine has, found without importing torch: for `doctor` and for estimates.

What training then uses is decided by the training stage's own probe.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from tooldrill.training.memory import free_memory

_CPUINFO = Path("/proc/cpuinfo")
_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


@dataclass(frozen=True)
class Gpu:
    """A CUDA device as nvidia-smi names it; memory in bytes."""

    name: str
    memory: int


@dataclass(frozen=True)
class Machine:
    """Cores, memory (bytes) and devices.

    Attributes:
        available: memory that this process may still take, limits of containers included.
        threads: what this process may use, affinity and hyper-threads included.
        bf16: whether the CPU multiplies bfloat16 in hardware; None when it cannot be told.
    """

    cores: int
    threads: int
    memory: int
    available: int
    bf16: bool | None
    gpus: tuple[Gpu, ...]


@cache
def this_machine() -> Machine:
    """Looks once."""
    memory = psutil.virtual_memory()
    threads = _threads()
    return Machine(
        cores=min(psutil.cpu_count(logical=False) or threads, threads),
        threads=threads,
        memory=int(memory.total),
        available=free_memory(),
        bf16=_bf16(),
        gpus=_gpus(),
    )


@cache
def matmul_rate() -> float:
    """Measured float32 matrix-multiplication rate of the CPU, in operations per second.

    Takes about 0.3 s: the best of the repetitions that fit, 1024 x 1024 each (2 n^3 operations).
    """
    import numpy as np

    size = 1024
    rng = np.random.default_rng(0)
    left = rng.standard_normal((size, size), dtype=np.float32)
    right = rng.standard_normal((size, size), dtype=np.float32)
    best, end = float("inf"), time.perf_counter() + 0.3
    while time.perf_counter() < end:
        start = time.perf_counter()
        np.matmul(left, right)
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def _threads() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _bf16() -> bool | None:
    if sys.platform == "darwin":
        # Apple silicon since the M2; the M1 lacks it and sysctl tells them apart.
        return _sysctl("hw.optional.arm.FEAT_BF16") == "1"
    try:
        lines = _CPUINFO.read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, flags = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return bool(_BF16_FLAGS & set(flags.split()))
    return None


def _sysctl(name: str) -> str:
    return _output("sysctl", "-n", name)


def _gpus() -> tuple[Gpu, ...]:
    text = _output("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
    found = []
    for line in text.splitlines():
        name, _, size = line.rpartition(",")
        if size.strip().isdecimal():
            found.append(Gpu(name.strip(), int(size) * 2**20))
    return tuple(found)


def _output(program: str, *arguments: str) -> str:
    """What a program prints; empty when it is not there or fails."""
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        done = subprocess.run(
            [path, *arguments], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def program_version(program: str) -> str | None:
    """The first line of `program --version`; None when it is not there."""
    text = _output(program, "--version")
    return text.splitlines()[0] if text else None


def processor() -> str:
    """The processor's name."""
    try:
        lines = _CPUINFO.read_text("ascii", "replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or _sysctl("machdep.cpu.brand_string") or platform.machine()
