"""What a transformers model says at the samples' positions, kept on disk.

Two models are compared without both being in memory, and a model need not stay there until its
files are made. What the numbers come to is `compare`'s work.
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tooldrill.agent.progress import Progress, silent
from tooldrill.export.compare import DeltaTally, Logits
from tooldrill.export.samples import Samples


class Reading:
    """The logits of each sample; the files are gone with the object."""

    def __init__(self, folder: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="logits-", dir=folder)

    def keep(self, number: int, logits: Logits) -> None:
        np.save(self._path(number), logits)

    def logits(self, number: int) -> Logits:
        """Of a sample, at its positions, shape (positions, vocabulary), float32."""
        kept: Logits = np.load(self._path(number), allow_pickle=False)
        return kept

    def _path(self, number: int) -> Path:
        return Path(self._folder.name) / f"{number}.npy"


def read_model(
    model: Any, samples: Samples, folder: Path, progress: Progress = silent, note: str = "reading"
) -> Reading:
    """The model's logits at the samples' positions.

    Args:
        folder: on whose disk they are kept, 4 bytes for each position and token of the vocabulary.
    """
    reading = Reading(folder)
    for number, sample in enumerate(samples.items):
        reading.keep(number, model_logits(model, sample.tokens, sample.positions))
        progress(number + 1, len(samples.items), f"{note}: text {number + 1}")
    return reading


def compare_readings(before: Reading, after: Reading, samples: Samples) -> DeltaTally:
    """Everything that two models of one vocabulary said."""
    tally = DeltaTally()
    for number, sample in enumerate(samples.items):
        tally.add(
            number,
            before.logits(number),
            after.logits(number),
            sample.positions,
            sample.learned,
        )
    return tally


@torch.no_grad()
def model_logits(model: Any, tokens: Sequence[int], positions: Sequence[int]) -> Logits:
    """Logits after some of the tokens, shape (positions, vocabulary), float32."""
    ids, wanted = torch.tensor([list(tokens)]), torch.tensor(list(positions))
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    if "logits_to_keep" in inspect.signature(inner.forward).parameters:
        rows = model(input_ids=ids, logits_to_keep=wanted, use_cache=False).logits[0]
    else:
        rows = model(input_ids=ids, use_cache=False).logits[0, wanted]
    logits: Logits = rows.float().numpy()
    return logits
