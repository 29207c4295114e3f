"""What this machine should be asked to do: device, number type, threads, checkpointing.

Each choice comes with its reason, so that `tooldrill doctor` and the training log can say why.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from tooldrill.agent.engines.llama import physical_cores
from tooldrill.training.settings import HardwareSettings

# Below this the conversions of autocast cost more than the faster multiplication gains.
_WORTH_BFLOAT16 = 2.0


@dataclass(frozen=True)
class Hardware:
    """Settled settings.

    Attributes:
        device: `cpu`, `cuda`, `cuda:N` or `mps`.
        dtype: name of the torch number type to compute in.
        threads: CPU threads.
        gradient_checkpointing: recompute activations to save memory.
        reasons: one line for each choice.
    """

    device: str
    dtype: str
    threads: int
    gradient_checkpointing: bool
    reasons: tuple[str, ...]


def settle(settings: HardwareSettings) -> Hardware:
    """Fills in what the settings leave to the machine."""
    device = settings.device or _best_device()
    dtype, why = _best_dtype(device)
    reasons = [f"device {device}: {'set' if settings.device else 'the best there is'}"]
    if settings.dtype:
        dtype, why = settings.dtype, "set"
    reasons.append(f"{dtype}: {why}")
    threads = settings.threads or physical_cores()
    reasons.append(f"{threads} threads: {'set' if settings.threads else 'the physical cores'}")
    checkpointing = settings.gradient_checkpointing
    if checkpointing is None:
        checkpointing = False
        reasons.append("no gradient checkpointing: it costs a third more time")
    return Hardware(device, dtype, threads, checkpointing, tuple(reasons))


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


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def _best_dtype(device: str) -> tuple[str, str]:
    if device.startswith("cuda"):
        if torch.cuda.is_bf16_supported():
            return "bfloat16", "the GPU has units for it"
        return "float32", "the GPU has no bfloat16 units"
    if device == "cpu":
        gain = bfloat16_speedup()
        if gain >= _WORTH_BFLOAT16:
            return "bfloat16", f"this CPU multiplies it {gain:.1f} times faster than float32"
        return "float32", f"bfloat16 is only {gain:.1f} times as fast on this CPU"
    return "float32", "safe everywhere"
