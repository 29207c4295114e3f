"""What this machine should be asked to do: device, number type, threads, attention, tokens at once.

Each choice comes with its reason, so that `tooldrill doctor` and the training log can say why.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil
import torch

from tooldrill.agent.engines.llama import physical_cores
from tooldrill.training.activations import activation_bytes
from tooldrill.training.engine.tree_attention import Kernel
from tooldrill.training.processes import processes_here
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
        attention: how prefix forests are attended to.
        tokens: most tokens computed at once.
        reasons: one line for each choice.
    """

    device: str
    dtype: str
    threads: int
    gradient_checkpointing: bool
    attention: Kernel
    tokens: int
    reasons: tuple[str, ...]


def settle(settings: HardwareSettings, shape: Shape) -> Hardware:
    """Fills in what the settings leave to the machine, for a model of this shape."""
    device = settings.device or _best_device()
    dtype, why = _best_dtype(device)
    reasons = [f"device {device}: {'set' if settings.device else 'the best there is'}"]
    if settings.dtype:
        dtype, why = settings.dtype, "set"
    reasons.append(f"{dtype}: {why}")
    threads = settings.threads or physical_cores()
    reasons.append(f"{threads} threads: {'set' if settings.threads else 'the physical cores'}")
    attention, why = _attention(settings, device)
    reasons.append(f"attention {attention}: {why}")
    tokens, checkpointing, whys = _memory(settings, shape, device, dtype)
    reasons += whys
    return Hardware(device, dtype, threads, checkpointing, attention, tokens, tuple(reasons))


@dataclass(frozen=True)
class Shape:
    """What a model's activations take.

    Attributes:
        layers, hidden: how many layers, and how wide.
        longest: tokens of the longest example, which must fit in any case.
    """

    layers: int
    hidden: int
    longest: int


# Of the memory that is free after loading the model; the rest is for the optimizer, logits, others.
_SHARE = 0.5
# More tokens at once gain nothing in speed.
_MOST_TOKENS = 8192


def _memory(
    settings: HardwareSettings, shape: Shape, device: str, dtype: str
) -> tuple[int, bool, list[str]]:
    """Tokens at once and checkpointing, with their reasons."""
    room = _SHARE * _free_memory(device)
    size = 4 if dtype == "float32" else 2

    def that_fit(*, checkpointing: bool) -> int:
        kept = activation_bytes(shape.layers, shape.hidden, size, checkpointing=checkpointing)
        return int(room / kept)

    fits = that_fit(checkpointing=False)
    checkpointing = settings.gradient_checkpointing
    if checkpointing is None:
        checkpointing = fits < shape.longest
        why = (
            f"{room / 1e9:.1f} GB hold {fits} tokens, the longest example has {shape.longest}"
            if checkpointing
            else "it costs a third more time, and memory suffices"
        )
    else:
        why = "set"
    fits = that_fit(checkpointing=checkpointing)
    tokens = settings.tokens or max(shape.longest, min(fits, _MOST_TOKENS))
    told = "set" if settings.tokens else f"{room / 1e9:.1f} GB of memory for activations"
    reasons = [
        f"{'' if checkpointing else 'no '}gradient checkpointing: {why}",
        f"{tokens} tokens at once: {told}",
    ]
    return tokens, checkpointing, reasons


def _free_memory(device: str) -> float:
    if device.startswith("cuda"):
        return float(torch.cuda.mem_get_info(torch.device(device))[0])
    return float(psutil.virtual_memory().available) / processes_here()


def _attention(settings: HardwareSettings, device: str) -> tuple[Kernel, str]:
    if settings.attention:
        return settings.attention, "set"
    if device.startswith("cuda"):
        return "flex", "it skips what no token sees"
    if device == "cpu":
        return "branches", "each branch of shared prefixes on its own"
    return "dense", "few big kernels"


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
