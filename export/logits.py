"""Logits of every position of a text from a GGUF file, through llama.cpp.

For comparing a file with the model it was made from; generating replies is the engine's work.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from tooldrill.agent.engines.adapters import apply_adapters, load_adapters
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.errors import TooldrillError

MAX_THREADS = 4
TOKENS_AT_ONCE = 64


class LogitReader:
    """A GGUF loaded on the CPU with a context of `context` tokens.

    The cache is kept in F32 and flash attention is off, as its kernel rounds to F16 on the way:
    what is measured is the weights' rounding.

    Args:
        adapters: LoRA files to compute with, as `--lora` does.

    Raises:
        TooldrillError: when llama.cpp cannot load a file.
    """

    def __init__(self, path: Path, context: int, adapters: Sequence[Path] = ()) -> None:
        self.model = GgufModel(path, gpu_layers=0)
        loaded = load_adapters(self.model, [f"{adapter}:1" for adapter in adapters])
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = params.n_batch = context
        # A vocabulary's logits for every token of a pass at once would be most of the memory.
        params.n_ubatch = min(context, TOKENS_AT_ONCE)
        params.n_threads = params.n_threads_batch = min(MAX_THREADS, os.cpu_count() or 1)
        params.type_k = params.type_v = llama_cpp.GGML_TYPE_F32
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._context = llama_cpp.llama_init_from_model(self.model.handle, params)
        if not self._context:
            self.model.close()
            raise TooldrillError(
                f"llama.cpp has no memory for a context of {context} tokens with {path.name}",
                "close other programs and run the same command again",
            )
        apply_adapters(self._context, loaded)
        self._size = context

    def logits(self, tokens: Sequence[int]) -> np.ndarray[Any, Any]:
        """Logits after each token, shape (tokens, vocabulary), float32."""
        return self.rows(tokens, range(len(tokens)))

    def rows(self, tokens: Sequence[int], positions: Sequence[int]) -> np.ndarray[Any, Any]:
        """Logits after some of the tokens, shape (positions, vocabulary), float32."""
        self.clear()
        return self._decode(tokens, positions)

    def greedy(self, prompt: Sequence[int], count: int) -> list[int]:
        """The `count` tokens that follow a prompt when the most likely one is always taken."""
        self.clear()
        reply: list[int] = []
        pending, at = list(prompt), 0
        while True:
            last = self._decode(pending, [len(pending) - 1], at)
            reply.append(int(last[0].argmax()))
            if len(reply) == count:
                return reply
            at += len(pending)
            pending = reply[-1:]

    def clear(self) -> None:
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), True)

    def close(self) -> None:
        if self._context:
            llama_cpp.llama_free(self._context)
            self._context = None
        self.model.close()

    def _decode(
        self, tokens: Sequence[int], wanted: Sequence[int], start: int = 0
    ) -> np.ndarray[Any, Any]:
        if start + len(tokens) > self._size:
            raise ValueError(f"{start + len(tokens)} tokens in a context of {self._size}")
        asked = set(wanted)
        batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
        try:
            batch.n_tokens = len(tokens)
            for i, token in enumerate(tokens):
                batch.token[i], batch.pos[i] = token, start + i
                batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
                batch.logits[i] = i in asked
            status = llama_cpp.llama_decode(self._context, batch)
            if status != 0:
                raise RuntimeError(f"llama_decode failed with status {status}")
            width = (self.model.vocabulary_size,)
            rows = [
                np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self._context, i), width)
                for i in wanted
            ]
            # np.stack copies: llama.cpp writes over these rows with the next batch.
            return np.stack(rows)
        finally:
            llama_cpp.llama_batch_free(batch)
