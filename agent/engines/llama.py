"""llama.cpp in process: many episodes at once over one loaded model.

Every episode has a sequence of its own in llama.cpp's cache and keeps it between steps; what its
prompt shares with another sequence (the system prompt, mostly) is copied, not computed again.
Tokens of all episodes under way are decoded in one batch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import llama_cpp
import numpy as np
import psutil

from tooldrill.agent.engines.base import EngineInfo, Generation, Turn
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.engines.sampling import Sampler
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.hashing import sha256_file
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.render import ChatTemplate
from tooldrill.agent.settings import EngineSettings, ProtocolName

_BATCH = 512
# The end of a prompt is always decoded, in a batch large enough for the same kernels as the rest.
_LEAST_DECODED = 16
_FLASH_AUTO = llama_cpp.LLAMA_FLASH_ATTN_TYPE_AUTO
_FLASH_OFF = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED


@dataclass
class _Slot:
    """One sequence of llama.cpp's cache and the turn that is using it."""

    number: int
    key: str | None = None
    cached: list[int] = field(default_factory=list)  # tokens whose cache is computed
    pending: list[int] = field(default_factory=list)  # tokens still to be decoded
    turn: Turn | None = None
    sampler: Sampler | None = None
    prompt_length: int = 0
    shared: int = 0
    reply: list[int] = field(default_factory=list)
    started: float = 0.0
    opening: int = 0  # how much of `cached` was decoded as the episode's first prompt
    resumed: bool = False  # whether the turn goes on with an episode that the slot holds
    used: int = 0  # a clock: the slot used longest ago is taken first

    @property
    def busy(self) -> bool:
        return self.turn is not None

    @property
    def prompting(self) -> bool:
        return self.busy and not self.reply


class LlamaEngine:
    """Replies from a GGUF file.

    Args:
        path: the GGUF file.
        settings: context of one episode, sequences at once, threads.
        template: chat template; the one embedded in the file when None.

    Raises:
        TooldrillError: when the file cannot be loaded or holds no chat template.
    """

    def __init__(self, path: Path, settings: EngineSettings, template: str | None = None) -> None:
        self._settings = settings
        self._model = GgufModel(path, gpu_layers=settings.gpu_layers)
        source = template or self._model.chat_template
        if source is None:
            raise TooldrillError(
                f"{path} holds no chat template", "give one with model.chat_template"
            )
        self._template = ChatTemplate(source, self._model.bos_text, self._model.eos_text)
        self._context = self._open_context(settings)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(_BATCH, 0, 1)
        self._slots = [_Slot(number) for number in range(settings.parallel)]
        self._finished: list[tuple[str, Generation]] = []
        self._clock = 0
        self.info = EngineInfo(
            kind="llama.cpp",
            model=path.name,
            source=str(path),
            sha256=sha256_file(path),
            settings=settings.model_dump(),
        )

    @property
    def slots(self) -> int:
        return self._settings.parallel

    def protocol(self, name: ProtocolName) -> CallProtocol:
        return self._template.protocol(name)

    def submit(self, turn: Turn) -> None:
        text = self._template.render(
            turn.messages, turn.tools, turn.protocol, add_generation_prompt=True
        )
        tokens = self._model.prompt_tokens(text)
        if len(tokens) + 1 > self._settings.context:
            reason = f"the prompt has {len(tokens)} tokens, the context {self._settings.context}"
            self._finished.append((turn.key, Generation(failure=reason)))
            return
        slot = self._slot_for(turn.key)
        self._clock += 1
        slot.resumed = slot.key == turn.key
        slot.used, slot.key, slot.turn = self._clock, turn.key, turn
        slot.sampler = Sampler(turn.sampling, turn.offset)
        slot.prompt_length, slot.reply, slot.started = len(tokens), [], time.perf_counter()
        slot.pending = tokens
        slot.shared = -1  # what can be shared is decided when its first token is decoded

    def collect(self) -> list[tuple[str, Generation]]:
        while not self._finished and any(slot.busy for slot in self._slots):
            self._decode()
        finished, self._finished = self._finished, []
        return finished

    def release(self, key: str) -> None:
        for slot in self._slots:
            if slot.key == key:
                slot.key, slot.turn = None, None

    def close(self) -> None:
        if self._context:
            llama_cpp.llama_batch_free(self._batch)
            llama_cpp.llama_free(self._context)
            self._context = None
            self._model.close()

    def _open_context(self, settings: EngineSettings) -> llama_cpp.llama_context_p:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = settings.context * settings.parallel
        params.n_batch = params.n_ubatch = _BATCH
        params.n_seq_max = settings.parallel
        params.n_threads = params.n_threads_batch = settings.threads or physical_cores()
        # One stream a sequence: attention then costs what the episode's own length costs.
        params.kv_unified = False
        # On a CPU flash attention sums in float16, and its rounding depends on the batch's shape.
        on_gpu = settings.gpu_layers != 0 and llama_cpp.llama_supports_gpu_offload()
        params.flash_attn_type = _FLASH_AUTO if on_gpu else _FLASH_OFF
        context = llama_cpp.llama_init_from_model(self._model.handle, params)
        if not context:
            raise TooldrillError(
                f"no memory for {settings.parallel} contexts of {settings.context} tokens",
                "lower eval.engine.parallel or eval.engine.context",
            )
        return context

    def _slot_for(self, key: str) -> _Slot:
        free = [slot for slot in self._slots if not slot.busy]
        own = next((slot for slot in free if slot.key == key), None)
        if own is not None:
            return own
        unowned = [slot for slot in free if slot.key is None]
        if not unowned:
            raise RuntimeError("more turns submitted than the engine has slots")
        return min(unowned, key=lambda slot: slot.used)

    def _decode(self) -> None:
        """One call of llama.cpp: the next prompt on its own, else a token for every reply.

        Prompts are not mixed with each other or with replies, because llama.cpp takes other
        kernels for other batch shapes and their rounding shows in the logits. So what a reply is
        does not depend on how many episodes run beside it.
        """
        prompting = [slot for slot in self._slots if slot.prompting]
        if prompting:
            slot = min(prompting, key=lambda one: one.used)
            if slot.shared < 0:
                self._share(slot)
            parts = [(slot, slot.pending[:_BATCH])]
        else:
            parts = [(slot, slot.pending) for slot in self._slots if slot.busy]
        outputs = self._fill(parts)
        status = llama_cpp.llama_decode(self._context, self._batch)
        if status != 0:
            raise TooldrillError(
                f"llama.cpp failed to decode a batch (status {status})",
                "lower eval.engine.parallel or raise eval.engine.context",
            )
        for slot, position in outputs:
            self._advance(slot, position)

    def _fill(self, parts: Sequence[tuple[_Slot, list[int]]]) -> list[tuple[_Slot, int]]:
        """Puts tokens into the batch; returns who gets logits, and at which place."""
        batch, size = self._batch, 0
        outputs: list[tuple[_Slot, int]] = []
        for slot, tokens in parts:
            for token in tokens:
                batch.token[size] = token
                batch.pos[size] = len(slot.cached)
                batch.n_seq_id[size] = 1
                batch.seq_id[size][0] = slot.number
                batch.logits[size] = 0
                slot.cached.append(token)
                size += 1
            slot.pending = slot.pending[len(tokens) :]
            if not slot.pending:
                batch.logits[size - 1] = 1
                outputs.append((slot, size - 1))
        batch.n_tokens = size
        return outputs

    def _share(self, slot: _Slot) -> None:
        """Keeps or copies the longest cached prefix of the prompt; the rest stays to be decoded."""
        tokens = slot.pending
        # Of other episodes only what was decoded as a prompt, as it would be here.
        shareable = {other.number: other.cached[: other.opening] for other in self._slots}
        best = max(self._slots, key=lambda other: _common(shareable[other.number], tokens))
        length = _common(shareable[best.number], tokens)
        own = _common(slot.cached, tokens) if slot.resumed else 0
        if best is not slot and length > own:
            llama_cpp.llama_memory_seq_rm(self._memory, slot.number, -1, -1)
            llama_cpp.llama_memory_seq_cp(self._memory, best.number, slot.number, -1, -1)
            own = length
        elif best is slot:
            own = max(own, length)
        own = max(0, min(own, len(tokens) - _LEAST_DECODED))
        llama_cpp.llama_memory_seq_rm(self._memory, slot.number, own, -1)
        slot.shared, slot.cached, slot.pending = own, tokens[:own], tokens[own:]
        if not slot.resumed:
            slot.opening = len(tokens)

    def _advance(self, slot: _Slot, position: int) -> None:
        assert slot.turn is not None and slot.sampler is not None
        pointer = llama_cpp.llama_get_logits_ith(self._context, position)
        logits = np.ctypeslib.as_array(pointer, shape=(self._model.vocabulary_size,))
        token = slot.sampler.choose(logits)
        slot.reply.append(token)
        if self._model.ends_reply(token):
            self._finish(slot, slot.reply[:-1], cut=False)
        elif (
            len(slot.reply) >= slot.turn.max_tokens
            or len(slot.cached) + 1 >= self._settings.context
        ):
            self._finish(slot, slot.reply, cut=True)
        else:
            slot.pending = [token]

    def _finish(self, slot: _Slot, tokens: list[int], *, cut: bool) -> None:
        assert slot.turn is not None
        text = b"".join(self._model.piece(token) for token in tokens).decode(errors="replace")
        generation = Generation(
            text=text,
            prompt_tokens=slot.prompt_length,
            cached_tokens=slot.shared,
            reply_tokens=len(slot.reply),
            stop="length" if cut else "stop",
            seconds=time.perf_counter() - slot.started,
        )
        self._finished.append((slot.turn.key, generation))
        slot.turn, slot.pending = None, []


def physical_cores() -> int:
    """Cores to compute on: what this process may use, hyper-threads left out."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(psutil.cpu_count(logical=False) or 1, allowed or 1))


def _common(left: list[int], right: list[int]) -> int:
    """Length of the common prefix."""
    length = min(len(left), len(right))
    if left[:length] == right[:length]:
        return length
    return next(i for i in range(length) if left[i] != right[i])
