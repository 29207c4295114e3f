"""The arithmetic of comparing two sets of logits: KL divergence, top token, perplexity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.functional import kl_div

from tooldrill.export.records import Delta, LogitCheck
from tooldrill.export.settings import Quantization
from tooldrill.training.examples import IGNORED

Logits = np.ndarray[Any, Any]

# Logits this near are a tie that rounding to F16 may decide either way.
NEAR_TIE = 0.05
_ROWS = 16  # at once: copies of them stay small beside a model


def kl_divergence(expected: Logits, given: Logits) -> Logits:
    """KL(expected || given) in nats of each row, both of shape (positions, vocabulary)."""
    # float32 is six times faster here than float64 and moves the mean by about 1e-7 nats.
    p = torch.log_softmax(torch.from_numpy(expected), dim=-1)
    q = torch.log_softmax(torch.from_numpy(given), dim=-1)
    return _divergence(p, q)


def _divergence(p: torch.Tensor, q: torch.Tensor) -> Logits:
    terms = kl_div(q, p, log_target=True, reduction="none")
    divergence: Logits = terms.sum(dim=-1, dtype=torch.float64).numpy()
    return divergence


class DeltaTally:
    """Adds up a comparison over many texts."""

    def __init__(self) -> None:
        self._texts: list[int] = []
        self._positions: list[Sequence[int]] = []
        self._divergence: list[Logits] = []
        self._parted: list[Logits] = []
        self._largest = 0.0
        self._agreeing = 0
        self._losses: list[Logits] = []

    def add(
        self,
        text: int,
        expected: Logits,
        given: Logits,
        positions: Sequence[int] | None = None,
        learned: Sequence[int] | None = None,
    ) -> None:
        """Takes the logits of some positions of one text, both of shape (positions, vocabulary).

        Args:
            positions: which those are; None: all.
            learned: the learned token that follows each, or -100; None: none does.
        """
        rows = len(expected)
        follows = np.full(rows, IGNORED) if learned is None else np.asarray(learned)
        parts = [
            self._part(expected[at : at + _ROWS], given[at : at + _ROWS], follows[at : at + _ROWS])
            for at in range(0, rows, _ROWS)
        ]
        divergence, parted = (np.concatenate(kind) for kind in zip(*parts, strict=True))
        self._texts.append(text)
        self._positions.append(range(rows) if positions is None else positions)
        self._divergence.append(divergence)
        self._parted.append(parted)

    def _part(self, expected: Logits, given: Logits, follows: Logits) -> tuple[Logits, Logits]:
        """Divergence of each row, and whether its top token is another without a near tie."""
        p = torch.log_softmax(torch.from_numpy(expected), dim=-1)
        q = torch.log_softmax(torch.from_numpy(given), dim=-1)
        # Not max(): that would pass over a NaN.
        self._largest = float(np.maximum(self._largest, np.abs(expected - given).max()))
        at = np.flatnonzero(follows != IGNORED)
        if len(at):
            picked = [logs[at, follows[at]].double().numpy() for logs in (p, q)]
            self._losses.append(-np.stack(picked))
        best, other = expected.argmax(-1), given.argmax(-1)
        rows = np.arange(len(expected))
        self._agreeing += int((best == other).sum())
        near = expected[rows, best] - expected[rows, other] <= NEAR_TIE
        return _divergence(p, q), (best != other) & ~near

    def delta(self) -> Delta:
        """What was added so far.

        Raises:
            ValueError: when that is nothing.
        """
        positions = sum(len(rows) for rows in self._divergence)
        parted = sum(int(rows.sum()) for rows in self._parted)
        worst = int(np.argmax([rows.max() for rows in self._divergence]))
        losses = np.concatenate(self._losses, axis=1) if self._losses else None
        before, after = (None, None) if losses is None else map(_perplexity, losses)
        return Delta(
            positions=positions,
            mean_kl=float(np.concatenate(self._divergence).mean()),
            max_difference=self._largest,
            top1=self._agreeing / positions,
            near_ties=(positions - self._agreeing - parted) / positions,
            worst_text=self._texts[worst],
            worst_position=self._positions[worst][int(self._divergence[worst].argmax())],
            learned=0 if losses is None else losses.shape[1],
            perplexity_before=before,
            perplexity=after,
        )

    def first_beyond(self, limit: float) -> tuple[int, int] | None:
        """Text and position of the first row with a KL above `limit` or another top token."""
        for text, positions, divergence, parted in zip(
            self._texts, self._positions, self._divergence, self._parted, strict=True
        ):
            # Written so that a NaN is beyond.
            found = np.flatnonzero(~(divergence <= limit) | parted)
            if len(found):
                return text, positions[int(found[0])]
        return None


class LogitTally(DeltaTally):
    """Adds up the comparison of one file over many texts."""

    def __init__(self, quantization: Quantization) -> None:
        super().__init__()
        self._quantization = quantization

    def result(self) -> LogitCheck:
        return LogitCheck(quantization=self._quantization, **self.delta().model_dump())


def _perplexity(losses: Logits) -> float:
    """Of the mean loss; infinite where that is too large for a float."""
    mean = float(losses.mean())
    return math.exp(mean) if mean < 700 else math.inf
