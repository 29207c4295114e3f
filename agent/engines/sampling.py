"""Choosing the next token from logits: greedy, or temperature with top-k and nucleus."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tooldrill.agent.settings import SamplingSettings


class Sampler:
    """One episode's way of choosing tokens.

    Args:
        settings: temperature 0 is greedy.
        offset: added to the seed, so that episodes differ and each can be repeated alone.
    """

    def __init__(self, settings: SamplingSettings, offset: int = 0) -> None:
        self._settings = settings
        self._rng = np.random.default_rng(settings.seed + offset)

    def choose(self, logits: NDArray[np.float32]) -> int:
        """The next token's id, from logits of shape (vocabulary,)."""
        if self._settings.temperature == 0:
            return int(logits.argmax())
        ids = self._candidates(logits)
        scaled = logits[ids].astype(np.float64) / self._settings.temperature
        weights = np.exp(scaled - scaled.max())
        weights /= weights.sum()
        if self._settings.top_p < 1:
            # Holtzman et al. 2019: the smallest set whose mass reaches p; ids are in falling order.
            keep = int(np.searchsorted(np.cumsum(weights), self._settings.top_p)) + 1
            ids, weights = ids[:keep], weights[:keep] / weights[:keep].sum()
        return int(self._rng.choice(ids, p=weights))

    def _candidates(self, logits: NDArray[np.float32]) -> NDArray[np.intp]:
        order = np.argsort(-logits, kind="stable")
        return order[: self._settings.top_k] if self._settings.top_k else order
