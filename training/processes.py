"""The processes of one training run: alone, or several that a launcher started.

Accelerate and torch.distributed do the work; this says who is who and what all must agree on.
"""

from __future__ import annotations

import os
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType, broadcast_object_list, gather_object

T = TypeVar("T")


def process_count() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def processes_here() -> int:
    """How many of them share this machine's cores and memory."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", os.environ.get("WORLD_SIZE", "1")))


def process_rank() -> int:
    """Which of them this is."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Whether this is the one that writes files and tells progress."""
    return process_rank() == 0


def join(*, cpu: bool) -> None:
    """Meets the other processes; harmless when there are none."""
    if process_count() > 1:
        PartialState(cpu=cpu, **({"backend": "gloo"} if cpu else {}))


def sharded() -> bool:
    """Whether the launcher asked Accelerate for FSDP: each process holds a part of the model."""
    asked = os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"
    return asked and process_count() > 1


def told_processes() -> str:
    """How many train, and how they share the work; after `join`."""
    count = str(process_count())
    if not sharded():
        return count
    if PartialState().distributed_type == DistributedType.MULTI_CPU:
        return f"{count}, each with the whole model: Accelerate has no FSDP for CPUs"
    return f"{count}, each with a part of the model (FSDP)"


def own_device(device: str) -> torch.device:
    """The device of this process: what the launcher gave it, or the one that was settled."""
    if process_count() > 1:
        given: torch.device = PartialState().device
        return given
    found = torch.device(device)
    return torch.device("cuda", 0) if found.type == "cuda" and found.index is None else found


def agreed(value: T) -> T:
    """The first process's value, in all of them."""
    if process_count() == 1:
        return value
    shared: list[Any] = [value]
    broadcast_object_list(shared, from_process=0)
    found: T = shared[0]
    return found


def gathered(values: dict[int, T]) -> dict[int, T]:
    """The entries of all processes together, in all of them."""
    if process_count() == 1:
        return values
    return dict(gather_object(list(values.items())))


def gathered_list(values: list[T]) -> list[T]:
    """The lists of all processes, one after the other; they may differ in length."""
    return list(gather_object(values)) if process_count() > 1 else values
