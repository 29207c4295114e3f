"""A llama.cpp context with many sequences: decoding batches, and the cache of each sequence.

Which tokens are decoded when, and what is shared, is decided elsewhere (`prefixes`, `llama`).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass

import llama_cpp
import numpy as np
import psutil
from gguf import GGMLQuantizationType
from numpy.typing import NDArray

from tooldrill.agent.engines import native_log
from tooldrill.agent.engines.adapters import Adapter, apply_adapters
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import EngineSettings

BATCH = 512
"""Most tokens decoded in one call."""

_PARTIAL = llama_cpp.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY
_FLASH_AUTO = llama_cpp.LLAMA_FLASH_ATTN_TYPE_AUTO
_FLASH_ON = llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED
_FLASH_OFF = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
_FLOATS = ("f32", "f16", "bf16")


@dataclass(frozen=True)
class Part:
    """Tokens of one sequence in a batch.

    Attributes:
        sequence: its number.
        position: of the first token in the sequence.
        tokens: at least one.
        logits: whether the logits after the last token are wanted.
    """

    sequence: int
    position: int
    tokens: Sequence[int]
    logits: bool


class Sequences:
    """An open context.

    Args:
        model: the loaded model.
        settings: context of one sequence, how many, cache type, threads.
        adapters: LoRA adapters loaded for the model.

    Attributes:
        rewinds: whether the end of a sequence can be taken back token by token. Recurrent states
            cannot; those are kept as snapshots.
        threads: threads it computes with.
        flash_attention: `on`, `off`, or `auto` where llama.cpp chooses by the GPU.

    Raises:
        TooldrillError: when llama.cpp cannot open it.
    """

    def __init__(
        self, model: GgufModel, settings: EngineSettings, adapters: Sequence[Adapter] = ()
    ) -> None:
        self.threads = settings.threads or physical_cores()
        flash = _flash_attention(settings)
        self.flash_attention = {_FLASH_AUTO: "auto", _FLASH_ON: "on", _FLASH_OFF: "off"}[flash]
        self.rewinds = not (
            llama_cpp.llama_model_is_recurrent(model.handle)
            or llama_cpp.llama_model_is_hybrid(model.handle)
        )
        self._vocabulary_size = model.vocabulary_size
        self._context = _open(model, settings, self.threads, flash)
        apply_adapters(self._context, adapters)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = _Batch(max(BATCH, settings.parallel))

    def decode(self, parts: Sequence[Part]) -> list[NDArray[np.float32]]:
        """Computes the parts; logits of shape (vocabulary,) for each part that wants them.

        They are llama.cpp's own memory, and overwritten by the next call.

        Raises:
            TooldrillError: when llama.cpp fails.
        """
        rows = self._batch.fill(parts)
        with native_log.errors() as said:
            status = llama_cpp.llama_decode(self._context, self._batch.struct)
        if status != 0:
            why = native_log.reason(said, f"status {status}")
            raise TooldrillError(
                f"llama.cpp failed to decode a batch: {why}",
                "lower eval.engine.parallel or raise eval.engine.context",
            )
        return [self._logits(row) for row in rows]

    def truncate(self, sequence: int, length: int) -> bool:
        """Keeps the first tokens of a sequence; False, and nothing changed, when it cannot."""
        return bool(llama_cpp.llama_memory_seq_rm(self._memory, sequence, length, -1))

    def clear(self, sequence: int) -> None:
        """Empties a sequence."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def copy(self, source: int, target: int) -> None:
        """Makes a sequence's cache equal to another's."""
        self.clear(target)
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def snapshot(self, sequence: int) -> bytes:
        """A sequence's recurrent state at its end; what attention keeps is not in it."""
        size = llama_cpp.llama_state_seq_get_size_ext(self._context, sequence, _PARTIAL)
        buffer = (ctypes.c_uint8 * size)()
        written = llama_cpp.llama_state_seq_get_data_ext(
            self._context, buffer, size, sequence, _PARTIAL
        )
        return bytes(memoryview(buffer)[:written])

    def restore(self, sequence: int, state: bytes, length: int) -> bool:
        """Takes a sequence back to where a snapshot was made, after `length` tokens.

        Returns:
            Whether it could; when not, the sequence has to be cleared.
        """
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        taken = llama_cpp.llama_state_seq_set_data_ext(
            self._context, buffer, len(state), sequence, _PARTIAL
        )
        return bool(taken) and self.truncate(sequence, length)

    def close(self) -> None:
        """Frees the context; the model stays."""
        if self._context:
            llama_cpp.llama_free(self._context)
            self._context = None

    def _logits(self, row: int) -> NDArray[np.float32]:
        pointer = llama_cpp.llama_get_logits_ith(self._context, row)
        address = ctypes.addressof(pointer.contents)
        memory = (ctypes.c_float * self._vocabulary_size).from_address(address)
        logits: NDArray[np.float32] = np.ctypeslib.as_array(memory)
        return logits


class _Batch:
    """llama.cpp's batch over arrays of our own, so that filling it is a few assignments."""

    def __init__(self, size: int) -> None:
        self._tokens = np.zeros(size, np.int32)
        self._positions = np.zeros(size, np.int32)
        self._sequences = np.zeros(size, np.int32)
        self._counts = np.ones(size, np.int32)
        self._wanted = np.zeros(size, np.int8)
        step = self._sequences.itemsize
        self._pointers = self._sequences.ctypes.data + step * np.arange(size, dtype=np.uintp)
        number = ctypes.POINTER(ctypes.c_int32)
        self.struct = llama_cpp.llama_batch(
            0,
            self._tokens.ctypes.data_as(number),
            None,
            self._positions.ctypes.data_as(number),
            self._counts.ctypes.data_as(number),
            self._pointers.ctypes.data_as(ctypes.POINTER(number)),
            self._wanted.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )

    def fill(self, parts: Sequence[Part]) -> list[int]:
        """Puts the parts in; returns the places whose logits are wanted."""
        rows, start = [], 0
        self._wanted[:] = 0
        for part in parts:
            end = start + len(part.tokens)
            self._tokens[start:end] = part.tokens
            self._positions[start:end] = range(part.position, part.position + len(part.tokens))
            self._sequences[start:end] = part.sequence
            if part.logits:
                self._wanted[end - 1] = 1
                rows.append(end - 1)
            start = end
        self.struct.n_tokens = start
        return rows


def physical_cores() -> int:
    """Cores to compute on: what this process may use, hyper-threads left out."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(psutil.cpu_count(logical=False) or 1, allowed or 1))


def _flash_attention(settings: EngineSettings) -> int:
    """Whether attention is computed without writing its matrix down.

    On a CPU only where a quantized cache needs it: over floats it takes other kernels for other
    batch shapes, whose rounding shows in the replies. Over a quantized cache it goes row by row.
    """
    if settings.gpu_layers != 0 and llama_cpp.llama_supports_gpu_offload():
        return int(_FLASH_AUTO)
    return int(_FLASH_OFF if settings.cache_type in _FLOATS else _FLASH_ON)


def _open(
    model: GgufModel, settings: EngineSettings, threads: int, flash: int
) -> llama_cpp.llama_context_p:
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = settings.context * settings.parallel
    params.n_batch = params.n_ubatch = max(BATCH, settings.parallel)
    params.n_seq_max = settings.parallel
    params.n_threads = params.n_threads_batch = threads
    params.type_k = params.type_v = _ggml_type(settings.cache_type)
    # One stream a sequence: attention then costs what the episode's own length costs.
    params.kv_unified = False
    # A cache of the window's size forgets what a shared prefix needs, and does not say so.
    params.swa_full = True
    params.flash_attn_type = flash
    with native_log.errors() as said:
        context = llama_cpp.llama_init_from_model(model.handle, params)
    if context:
        return context
    opened = f"{settings.parallel} contexts of {settings.context} tokens"
    why = native_log.reason(said, "there is not enough memory")
    if settings.cache_type == "f16":
        advice = "lower eval.engine.parallel or eval.engine.context"
    else:
        advice = "set eval.engine.cache_type=f16, or lower eval.engine.parallel"
    raise TooldrillError(
        f"llama.cpp cannot open {opened} with a cache of type {settings.cache_type}: {why}", advice
    )


def _ggml_type(name: str) -> int:
    return int(GGMLQuantizationType[name.upper()])
