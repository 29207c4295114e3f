"""What this machine can do, as torch tells it: device, number types, memory.

Only measured and asked here; what follows from it is `hardware`'s.
"""

from __future__ import annotations

import time

import torch

from tooldrill.agent.errors import TooldrillError
from tooldrill.training.memory import free_memory
from tooldrill.training.processes import processes_here

# Below this the conversions of autocast cost more than the faster multiplication gains.
_WORTH_BFLOAT16 = 2.0


def best_device() -> str:
    """`cuda`, `mps` or `cpu`: the first that is there."""
    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def require_device(device: str) -> None:
    """Raises TooldrillError for a device that torch does not see here."""
    kind, _, number = device.partition(":")
    there = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }
    if kind in there and (not number or number.isdecimal()) and int(number or 0) < there[kind]:
        return
    seen = [name for name, count in there.items() if count]
    raise TooldrillError(
        f"training.hardware.device={device}: torch sees no such device here",
        f"use {' or '.join(seen)}, or null for the best there is",
    )


def best_dtype(device: str) -> tuple[str, str]:
    """The number type to compute in, and why."""
    if device.startswith("cuda"):
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bfloat16", "the GPU has units for it"
        return "float32", "the GPU has no bfloat16 units"
    if device == "cpu":
        gain = bfloat16_speedup()
        if gain >= _WORTH_BFLOAT16:
            return "bfloat16", f"this CPU multiplies it {gain:.1f} times faster than float32"
        return "float32", f"bfloat16 is only {gain:.1f} times as fast on this CPU"
    return "float32", "safe everywhere"


def bfloat16_speedup() -> float:
    """How many times faster this CPU multiplies matrices in bfloat16 than in float32.

    Measured (about half a second), because a CPU may list the instructions and be slow at them.
    """
    rows, width = 512, 1024
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        left, right = torch.randn(rows, width).to(dtype), torch.randn(width, width).to(dtype)
        torch.nn.functional.linear(left, right)
        runs, start = 0, time.perf_counter()
        while time.perf_counter() - start < 0.2:
            torch.nn.functional.linear(left, right)
            runs += 1
        seconds[dtype] = (time.perf_counter() - start) / runs
    return seconds[torch.float32] / seconds[torch.bfloat16]


def free_memory_of(device: str) -> float:
    """Bytes that are free on the device, for each of the processes that share it."""
    if device.startswith("cuda"):
        return float(torch.cuda.mem_get_info(torch.device(device))[0])
    return free_memory() / processes_here()
