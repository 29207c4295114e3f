"""The arithmetic of comparing two sets of logits: KL divergence, largest difference, top token."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn.functional import kl_div

from tooldrill.export.records import LogitCheck
from tooldrill.export.settings import Quantization

Logits = np.ndarray[Any, Any]

# Logits this near are a tie that rounding to F16 may decide either way.
NEAR_TIE = 0.05


def kl_divergence(expected: Logits, given: Logits) -> Logits:
    """KL(expected || given) in nats of each row, both of shape (positions, vocabulary)."""
    # float32 is six times faster here than float64 and moves the mean by about 1e-7 nats.
    p = torch.log_softmax(torch.from_numpy(expected), dim=-1)
    q = torch.log_softmax(torch.from_numpy(given), dim=-1)
    terms = kl_div(q, p, log_target=True, reduction="none")
    divergence: Logits = terms.sum(dim=-1, dtype=torch.float64).numpy()
    return divergence


class LogitTally:
    """Adds up the comparison of one file over many texts."""

    def __init__(self, quantization: Quantization) -> None:
        self._quantization = quantization
        self._divergence: list[Logits] = []
        self._texts: list[int] = []
        self._largest = 0.0
        self._agreeing = 0
        self._ties = 0

    def add(self, text: int, expected: Logits, given: Logits) -> None:
        """Takes the logits of every position of one text."""
        self._texts.append(text)
        self._divergence.append(kl_divergence(expected, given))
        self._largest = max(self._largest, float(np.abs(expected - given).max()))
        best, other = expected.argmax(-1), given.argmax(-1)
        rows = np.arange(len(expected))
        near = expected[rows, best] - expected[rows, other] <= NEAR_TIE
        self._agreeing += int((best == other).sum())
        self._ties += int((near & (best != other)).sum())

    def result(self) -> LogitCheck:
        positions = sum(len(rows) for rows in self._divergence)
        worst = int(np.argmax([rows.max() for rows in self._divergence]))
        return LogitCheck(
            quantization=self._quantization,
            positions=positions,
            mean_kl=float(np.concatenate(self._divergence).mean()),
            max_difference=self._largest,
            top1=self._agreeing / positions,
            near_ties=self._ties / positions,
            worst_text=self._texts[worst],
            worst_position=int(self._divergence[worst].argmax()),
        )
