"""What this machine should be asked to do: device, number type, threads, attention, tokens at once.

Each choice comes with its reason, so that `tooldrill doctor` and the training log can say why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tooldrill.agent.engines.sequences import physical_cores
from tooldrill.agent.errors import TooldrillError
from tooldrill.training.activations import MOST_TOKENS, ROOM, Computing, Decoder, tokens_held
from tooldrill.training.engine.tree_attention import Kernel
from tooldrill.training.probe import best_device, best_dtype, free_memory_of, require_device
from tooldrill.training.settings import HardwareSettings


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


@dataclass(frozen=True)
class Shape:
    """What a model and its examples take.

    Attributes:
        longest: tokens of the longest example, which must fit in any case.
        unloaded: bytes of weights that are still to be put on the device.
        scores: numbers of a token's attention to others in a layer that keeps them (eager).
        plain: see `activations.Computing`.
    """

    decoder: Decoder
    longest: int
    unloaded: float = 0.0
    scores: int = 0
    plain: bool = True


# The reasons before those that depend on memory: device, number type, threads, attention.
_MACHINE = 4


def settle(settings: HardwareSettings, shape: Shape, before: Hardware | None = None) -> Hardware:
    """Fills in what the settings leave to the machine, for a model of this shape.

    Args:
        before: what was settled when a run that goes on began; it holds where nothing is set.

    Raises:
        TooldrillError: for settings that this machine cannot follow.
    """

    def given(name: str) -> tuple[Any, str]:
        return _given(settings, before, name)

    device, why = given("device")
    if device is None:
        device, why = best_device(), "the best there is"
    _require_there(device, before)
    reasons = [f"device {device}: {why}"]
    dtype, why = given("dtype")
    if dtype is None:
        dtype, why = best_dtype(device)
    reasons.append(f"{dtype}: {why}")
    threads, why = given("threads")
    if threads is None:
        threads, why = physical_cores(), "the physical cores"
    reasons.append(f"{threads} threads: {why}")
    attention, why = given("attention")
    if attention is None:
        attention, why = _attention(device)
    reasons.append(f"attention {attention}: {why}")
    _require_possible(device, dtype, attention)

    hardware = Hardware(device, dtype, threads, False, attention, 0, tuple(reasons))
    return fit_memory(hardware, settings, shape, before)


def fit_memory(
    hardware: Hardware, settings: HardwareSettings, shape: Shape, before: Hardware | None = None
) -> Hardware:
    """Settles checkpointing and tokens at once anew: a model may need more than its shape told.

    Args:
        before: as for `settle`.
    """
    room = ROOM * max(0.0, free_memory_of(hardware.device) - shape.unloaded)
    held = _tokens_held(room, shape, hardware)
    checkpointing, why = _given(settings, before, "gradient_checkpointing")
    if checkpointing is None:
        checkpointing, why = _checkpointing(room, held[False], shape.longest)
    reasons = [f"{'' if checkpointing else 'no '}gradient checkpointing: {why}"]
    tokens, why = _given(settings, before, "tokens")
    if tokens is None:
        tokens = max(shape.longest, min(held[checkpointing], MOST_TOKENS))
        why = _why_tokens(room, held[checkpointing], shape.longest)
    elif tokens < shape.longest:
        why += f"; the longest example, of {shape.longest}, is computed alone"
    reasons.append(f"{tokens} tokens at once: {why}")
    return replace(
        hardware,
        gradient_checkpointing=checkpointing,
        tokens=tokens,
        reasons=(*hardware.reasons[:_MACHINE], *reasons),
    )


def _given(settings: HardwareSettings, before: Hardware | None, name: str) -> tuple[Any, str]:
    """What is set, or was settled when the run began, and where it is from; None for neither."""
    if getattr(settings, name) is not None:
        return getattr(settings, name), "set"
    return (getattr(before, name), "as when this run began") if before else (None, "")


def _require_there(device: str, before: Hardware | None) -> None:
    """Raises TooldrillError for a device that is not there, or is no longer."""
    try:
        require_device(device)
    except TooldrillError as error:
        if before is None or device != before.device:
            raise
        raise TooldrillError(
            f"this run began on {device}, which torch does not see here",
            "go on where it began, or begin afresh here with --force",
        ) from error


def _require_possible(device: str, dtype: str, attention: Kernel) -> None:
    """Raises TooldrillError for what torch cannot do on this device, before anything is loaded."""
    if attention == "flex" and not device.startswith("cuda"):
        raise TooldrillError(
            f"training.hardware.attention=flex: FlexAttention has no backward pass on {device}",
            f"set training.hardware.attention={_attention(device)[0]}: it gives the same numbers",
        )
    if dtype == "float16" and not device.startswith("cuda"):
        raise TooldrillError(
            f"training.hardware.dtype=float16: its scaled gradients need CUDA, not {device}",
            "set training.hardware.dtype=float32 or bfloat16",
        )


def _attention(device: str) -> tuple[Kernel, str]:
    if device.startswith("cuda"):
        return "flex", "it skips what no token sees"
    if device == "cpu":
        return "branches", "each branch of shared prefixes on its own"
    return "dense", "few big kernels"


def _tokens_held(room: float, shape: Shape, hardware: Hardware) -> dict[bool, int]:
    """How many tokens' activations fit, with checkpointing and without."""
    how = Computing(hardware.device != "cpu", hardware.dtype != "float32", shape.plain)
    return {
        checkpointing: tokens_held(
            room, shape.decoder, how, checkpointing=checkpointing, scores=shape.scores
        )
        for checkpointing in (False, True)
    }


def _checkpointing(room: float, held: int, longest: int) -> tuple[bool, str]:
    if held < longest:
        return True, f"{room / 1e9:.1f} GB hold {held} tokens, the longest example has {longest}"
    return False, "it costs a third more time, and memory suffices"


def _why_tokens(room: float, held: int, longest: int) -> str:
    if held < longest:
        return f"the longest example; {room / 1e9:.1f} GB hold only {held}: memory may run out"
    if held > MOST_TOKENS:
        return f"{room / 1e9:.1f} GB would hold {held}, but more are no faster"
    return f"what {room / 1e9:.1f} GB hold, half of the free memory"
