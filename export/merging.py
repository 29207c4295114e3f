"""Merging with a measure: what the model said before, and what it says with merged weights.

In exact arithmetic that is the same. Where it is not, an adapter was merged that has no place in
the weights. After training in four bits, what the adapter's other base changes is measured, too.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress, silent
from tooldrill.export.adapter_folder import read_adapter_folder
from tooldrill.export.dequantize import QuantizedTraining, read_quantization
from tooldrill.export.gates import require_merged
from tooldrill.export.merge import merge, merged_model, tuned_model
from tooldrill.export.readings import Reading, compare_readings, read_model
from tooldrill.export.records import MergeCheck, QuantizedBase
from tooldrill.export.samples import Samples
from tooldrill.export.settings import ExportSettings
from tooldrill.export.streamed import open_adapted, open_streamed
from tooldrill.training.find_base import BaseModel


@dataclass(frozen=True)
class Merged:
    """A model with merged weights.

    Attributes:
        model: in fp32 on the CPU.
        said: what it says to the samples.
        check: what merging changed.
    """

    model: Any
    said: Reading
    check: MergeCheck


def merge_measured(
    base: BaseModel,
    adapter: Path | None,
    samples: Samples,
    folder: Path,
    *,
    settings: ExportSettings,
    progress: Progress = silent,
) -> Merged:
    """The model that is exported, and what the samples make it say.

    Args:
        adapter: a PEFT folder; None for the base itself.
        folder: on whose disk logits are kept for a while.

    Raises:
        TooldrillError: as `merged_model`, beyond the gate, and where dequantized weights are asked
            for that cannot be made.
    """
    read = _Reader(samples, folder, progress)
    if adapter is None:
        model = open_streamed(base, None) or merged_model(base, None)
        return Merged(model, read(model, "reading"), MergeCheck())
    quantized = read_quantization(adapter)
    into = _chosen(quantized, settings, adapter)
    told = None
    if quantized is not None:
        told = _quantized_base(base, adapter, quantized, settings, read)
    tuned = _tuned(base, adapter, into)
    before = read(tuned, "before merging")
    streamed = None if into else open_streamed(base, adapter)
    model = streamed or merge(tuned, base, adapter)
    said = read(model, "merged")
    tally = compare_readings(before, said, samples)
    delta = tally.delta()
    require_merged(tally, delta, samples, settings)
    return Merged(model, said, MergeCheck(delta=delta, quantized_base=told))


@dataclass(frozen=True)
class _Reader:
    """Reads models to the samples, one after the other."""

    samples: Samples
    folder: Path
    progress: Progress

    def __call__(self, model: Any, note: str) -> Reading:
        return read_model(model, self.samples, self.folder, self.progress, note)


def _tuned(base: BaseModel, adapter: Path, into: QuantizedTraining | None = None) -> Any:
    """The base with the adapter beside it, in memory only where it has to be."""
    read_adapter_folder(adapter)
    streamed = None if into else open_adapted(base, adapter)
    return streamed or tuned_model(base, adapter, into)


def _chosen(
    quantized: QuantizedTraining | None, settings: ExportSettings, adapter: Path
) -> QuantizedTraining | None:
    """The rounding of the weights that are merged into; None for the original ones."""
    if settings.merge_into == "original":
        return None
    unfit = (
        f"the adapter in {adapter} was not trained over quantized weights"
        if quantized is None
        else quantized.unmeasured
    )
    if unfit:
        raise TooldrillError(f"export.merge_into: {unfit}", "or set export.merge_into=original")
    return quantized


def _quantized_base(
    base: BaseModel,
    adapter: Path,
    quantized: QuantizedTraining,
    settings: ExportSettings,
    read: _Reader,
) -> QuantizedBase:
    """From the adapter over the weights of its training to the same over the original ones."""
    told = QuantizedBase(merged_into=settings.merge_into, unmeasured=quantized.unmeasured)
    if told.unmeasured is None:
        # One model at a time: each is gone when the next is loaded.
        trained = read(tuned_model(base, adapter, quantized), "as trained, in four bits")
        gc.collect()
        original = read(_tuned(base, adapter), "over the original weights")
        gc.collect()
        told.difference = compare_readings(trained, original, read.samples).delta()
    return told
