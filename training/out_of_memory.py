"""Running out of memory, told as the settings to try.

What torch can tell: an allocation that was refused. A process that the kernel kills says nothing;
of that the launcher tells, see `jobs`.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from tooldrill.agent.errors import TooldrillError
from tooldrill.training.hardware import Hardware

# What torch's CPU allocator, MPS, C++ and threads say; all come as RuntimeError.
_REFUSED = re.compile(
    r"can't allocate memory|cannot allocate memory|out of memory|std::bad_alloc|"
    r"not enough memory|can't start new thread",
    re.IGNORECASE,
)


@contextmanager
def out_of_memory_told(what: str, advice: str) -> Iterator[None]:
    """Raises a TooldrillError where memory runs out in the block; other errors pass.

    Args:
        what: was going on; advice: what would take less memory.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise TooldrillError(f"{what} ran out of memory{_wanted(error)}", advice) from error


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or what it came from, is a refused allocation."""
    while error is not None:
        if isinstance(error, MemoryError | torch.OutOfMemoryError):
            return True
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            return True
        if isinstance(error, RuntimeError) and _REFUSED.search(str(error)):
            return True
        error = error.__cause__
    return False


def _wanted(error: BaseException) -> str:
    """How much was asked for, where the message says it."""
    found = re.search(r"you tried to allocate (\d+) bytes", str(error))
    if found:
        return f" when it asked for {int(found[1]) / 1e6:.0f} MB more"
    found = re.search(r"[Tt]ried to allocate ([\d.]+ [KMG]i?B)", str(error))
    return f" when it asked for {found[1]} more" if found else ""


def less_memory(hardware: Hardware, longest: int, largest: int) -> str:
    """The settings to try, the cheapest in time first.

    Args:
        longest: tokens of the longest example; largest: tokens that were computed at once.
    """
    steps = []
    if largest > longest:
        steps.append(f"training.hardware.tokens={max(longest, 64, largest // 2)}")
    if not hardware.gradient_checkpointing:
        steps.append("training.hardware.gradient_checkpointing=true")
    if hardware.attention == "dense":
        steps.append("training.hardware.attention=branches")
    if steps:
        return f"set {' or '.join(steps)}"
    return (
        f"give shorter examples (the longest has {longest} tokens: lower data.tools), or a smaller "
        "model.path"
    )


def less_weights(*, cuda: bool) -> str:
    """What helps when not even the model fits."""
    four = ", or set training.quantization.enabled=true" if cuda else ""
    return f"close other programs, or give a smaller model.path{four}"
