"""llama.cpp in process: many episodes at once over one loaded model.

Every episode has a sequence of its own in llama.cpp's cache and keeps it between steps; what its
prompt shares with another sequence (the system prompt, mostly) is copied, not computed again.
Tokens of all episodes under way are decoded in one batch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
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
from tooldrill.agent.render import ChatTemplate
from tooldrill.agent.settings import EngineSettings

_BATCH = 512
# A prefix shorter than this is computed again rather than copied or waited for.
_WORTH_SHARING = 32


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

    def _share(self, slot: _Slot) -> bool:
        """Keeps or copies the longest cached prefix; False when one worth waiting for is coming."""
        tokens = slot.pending
        best = max(self._slots, key=lambda other: _common(other.cached, tokens))
        length = _common(best.cached, tokens)
        for other in self._slots:
            if other is not slot and other.prompting and other.shared >= 0:
                coming = _common(other.cached + other.pending, tokens)
                if coming >= length + _WORTH_SHARING:
                    return False
        own = _common(slot.cached, tokens)
        if best is not slot and length >= own + _WORTH_SHARING:
            llama_cpp.llama_memory_seq_rm(self._memory, slot.number, -1, -1)
            llama_cpp.llama_memory_seq_cp(self._memory, best.number, slot.number, -1, -1)
            own = length
        own = min(own, len(tokens) - 1)  # the last token is decoded for its logits
        llama_cpp.llama_memory_seq_rm(self._memory, slot.number, own, -1)
        slot.shared, slot.cached, slot.pending = own, tokens[:own], tokens[own:]
        return True

    def _plan(self) -> Iterator[tuple[_Slot, int]]:
        """Which slots take part in the next batch, and with how many tokens."""
        room = _BATCH
        generating_first = sorted((s for s in self._slots if s.busy), key=lambda s: s.prompting)
        for slot in generating_first:
            if room == 0:
                return
            if slot.shared < 0 and not self._share(slot):
                continue
            count = min(room, len(slot.pending))
            room -= count
            yield slot, count

    def _decode(self) -> None:
        batch, size = self._batch, 0
        outputs: list[tuple[_Slot, int]] = []
        for slot, count in list(self._plan()):
            for token in slot.pending[:count]:
                batch.token[size] = token
                batch.pos[size] = len(slot.cached)
                batch.n_seq_id[size] = 1
                batch.seq_id[size][0] = slot.number
                batch.logits[size] = 0
                slot.cached.append(token)
                size += 1
            del slot.pending[:count]
            if not slot.pending:
                batch.logits[size - 1] = 1
                outputs.append((slot, size - 1))
        batch.n_tokens = size
        status = llama_cpp.llama_decode(self._context, batch)
        if status != 0:
            raise TooldrillError(
                f"llama.cpp failed to decode a batch (status {status})",
                "lower eval.engine.parallel or raise eval.engine.context",
            )
        for slot, position in outputs:
            self._advance(slot, position)

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
