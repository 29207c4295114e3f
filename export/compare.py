"""The arithmetic of comparing two sets of logits: KL divergence, largest difference, top token."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import log_softmax

from tooldrill.export.records import LogitCheck
from tooldrill.export.settings import Quantization

Logits = np.ndarray[Any, Any]


def kl_divergence(expected: Logits, given: Logits) -> Logits:
    """KL(expected || given) in nats of each row, both of shape (positions, vocabulary)."""
    p = log_softmax(expected.astype(np.float64), axis=-1)
    q = log_softmax(given.astype(np.float64), axis=-1)
    divergence: Logits = (np.exp(p) * (p - q)).sum(axis=-1)
    return divergence


class LogitTally:
    """Adds up the comparison of one file over many texts."""

    def __init__(self, quantization: Quantization) -> None:
        self._quantization = quantization
        self._divergence: list[Logits] = []
        self._texts: list[int] = []
        self._largest = 0.0
        self._agreeing = 0

    def add(self, text: int, expected: Logits, given: Logits) -> None:
        """Takes the logits of every position of one text."""
        self._texts.append(text)
        self._divergence.append(kl_divergence(expected, given))
        self._largest = max(self._largest, float(np.abs(expected - given).max()))
        self._agreeing += int((expected.argmax(-1) == given.argmax(-1)).sum())

    def result(self) -> LogitCheck:
        positions = sum(len(rows) for rows in self._divergence)
        worst = int(np.argmax([rows.max() for rows in self._divergence]))
        return LogitCheck(
            quantization=self._quantization,
            positions=positions,
            mean_kl=float(np.concatenate(self._divergence).mean()),
            max_difference=self._largest,
            top1=self._agreeing / positions,
            worst_text=self._texts[worst],
            worst_position=int(self._divergence[worst].argmax()),
        )
