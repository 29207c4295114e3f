"""Choosing the next token from logits, as llama-server does: by llama.cpp's own samplers.

In llama-server's order: repeat penalty, top-k, top-p, min-p, temperature, then the draw.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from tooldrill.agent.settings import SamplingSettings

_PENALIZED = 64  # tokens looked back at, as llama-server does
_SEEDS = 0xFFFFFFFF  # the last 32-bit number means "any seed" to llama.cpp, and is left out
_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class Sampler:
    """One reply's way of choosing tokens.

    Args:
        settings: temperature 0 is greedy.
        vocabulary_size: how many logits there are.
        offset: added to the seed, so that replies differ and each can be repeated alone.
        prompt: tokens before the reply; the repeat penalty counts them, as in llama-server.
    """

    def __init__(
        self,
        settings: SamplingSettings,
        vocabulary_size: int,
        offset: int = 0,
        prompt: Sequence[int] = (),
    ) -> None:
        self._settings = settings
        self._chain: llama_cpp.llama_sampler_p | None = None
        if settings.temperature == 0 and settings.repeat_penalty == 1:
            return  # the most likely token needs no candidates
        self._chain = _chain(settings, vocabulary_size, (settings.seed + offset) % _SEEDS)
        weakref.finalize(self, llama_cpp.llama_sampler_free, self._chain)
        self._candidates = np.zeros(vocabulary_size, _CANDIDATE)
        self._ids = np.arange(vocabulary_size, dtype=np.int32)
        for token in prompt[-_PENALIZED:]:
            llama_cpp.llama_sampler_accept(self._chain, token)

    @property
    def decided_by(self) -> int | None:
        """How many of the likeliest tokens decide; None where the weights of all count."""
        if self._chain is None:
            return 1
        # A penalty changes which ones are the likeliest.
        few = self._settings.top_k > 0 and self._settings.repeat_penalty == 1
        return self._settings.top_k if few else None

    def choose(self, logits: NDArray[np.float32]) -> int:
        """The next token's id, from logits of shape (vocabulary,)."""
        token = self.propose(logits)
        self.accept(token)
        return token

    def propose(self, logits: NDArray[np.float32]) -> int:
        """The token that would be chosen; nothing is chosen before `accept`."""
        if self._chain is None:
            return int(logits.argmax())
        # Samplers sort in place: the order of the last token is of no use.
        self._candidates["id"], self._candidates["logit"] = self._ids, logits
        pointer = self._candidates.ctypes.data_as(llama_cpp.llama_token_data_p)
        array = llama_cpp.llama_token_data_array(pointer, len(logits), -1, False)
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(array.data[array.selected].id)

    def accept(self, token: int) -> None:
        """The reply goes on with this token."""
        if self._chain is not None:
            llama_cpp.llama_sampler_accept(self._chain, token)


def _chain(
    settings: SamplingSettings, vocabulary_size: int, seed: int
) -> llama_cpp.llama_sampler_p:
    params = llama_cpp.llama_sampler_chain_default_params()
    params.no_perf = True
    chain = llama_cpp.llama_sampler_chain_init(params)
    stages = []
    if settings.repeat_penalty != 1:
        penalties = (vocabulary_size, _PENALIZED, settings.repeat_penalty, 0.0, 0.0)
        stages.append(llama_cpp.llama_sampler_init_penalties(*penalties))
    if settings.temperature == 0:
        stages.append(llama_cpp.llama_sampler_init_greedy())
    else:
        if settings.top_k > 0:
            stages.append(llama_cpp.llama_sampler_init_top_k(settings.top_k))
        if settings.top_p < 1:
            stages.append(llama_cpp.llama_sampler_init_top_p(settings.top_p, 1))
        if settings.min_p > 0:
            stages.append(llama_cpp.llama_sampler_init_min_p(settings.min_p, 1))
        stages.append(llama_cpp.llama_sampler_init_temp(settings.temperature))
        stages.append(llama_cpp.llama_sampler_init_dist(seed))
    for stage in stages:
        llama_cpp.llama_sampler_chain_add(chain, stage)
    return chain
