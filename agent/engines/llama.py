"""llama.cpp in process: many episodes at once over one loaded model.

Every episode has a sequence of its own in llama.cpp's cache and keeps it between steps; what its
prompt shares with another sequence (the system prompt, mostly) is copied, not computed again
(`prefixes`). Tokens of all episodes under way are decoded in one batch (`sequences`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tooldrill.agent.engines.adapters import load_adapters
from tooldrill.agent.engines.base import EngineInfo, Generation, Turn
from tooldrill.agent.engines.constrained import ConstrainedSampler, GrammarState, NoTokenError
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.engines.prefixes import Prefixes, Slot
from tooldrill.agent.engines.reply_text import ReplyText
from tooldrill.agent.engines.sampling import Sampler
from tooldrill.agent.engines.sequences import Part, Sequences
from tooldrill.agent.episode import StopReason
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.known_hashes import known_sha256
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.thinking import THINK
from tooldrill.agent.render import ChatTemplate
from tooldrill.agent.settings import EngineSettings, ProtocolName


@dataclass
class _Reply:
    """A reply under way.

    Attributes:
        prompt: its tokens, until the slot's cache has been fitted to them.
        shared: how many of them were not computed again.
        tokens: how many were generated.
    """

    slot: Slot
    turn: Turn
    sampler: Sampler | ConstrainedSampler
    text: ReplyText
    prompt: list[int]
    resumed: bool
    started: float
    shared: int | None = None
    tokens: int = 0


class LlamaEngine:
    """Replies from a GGUF file.

    Args:
        path: the GGUF file.
        settings: context of one episode, sequences at once, cache type, adapters, threads.
        template: chat template; the one embedded in the file when None.

    Raises:
        TooldrillError: when the file or an adapter cannot be loaded, or holds no chat template.
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
        adapters = load_adapters(self._model, settings.adapters)
        self._sequences = Sequences(self._model, settings, adapters)
        self._prefixes = Prefixes(self._sequences, settings.parallel)
        self._replies: list[_Reply] = []
        self._finished: list[tuple[str, Generation]] = []
        self._clock = 0
        self.info = EngineInfo(
            kind="llama.cpp",
            model=path.name,
            source=str(path),
            sha256=known_sha256(path),
            adapters=[adapter.info for adapter in adapters],
            settings={
                **settings.model_dump(exclude={"adapters"}),
                "threads": self._sequences.threads,
                "flash_attention": self._sequences.flash_attention,
            },
        )

    @property
    def slots(self) -> int:
        return self._settings.parallel

    def protocol(self, name: ProtocolName) -> CallProtocol:
        return self._template.protocol(name)

    def cannot_constrain(self, _protocol: CallProtocol, /) -> str | None:
        return None

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
        reply = _Reply(
            slot=slot,
            turn=turn,
            sampler=self._sampler(turn, text, tokens),
            text=ReplyText(turn.on_text),
            prompt=tokens,
            resumed=slot.key == turn.key,
            started=time.perf_counter(),
        )
        slot.used, slot.key = self._clock, turn.key
        self._replies.append(reply)

    def collect(self) -> list[tuple[str, Generation]]:
        while not self._finished and self._replies:
            self._work()
        finished, self._finished = self._finished, []
        return finished

    def release(self, key: str) -> None:
        self._replies = [reply for reply in self._replies if reply.turn.key != key]
        for slot in self._prefixes.slots:
            if slot.key == key:
                slot.key = None

    def close(self) -> None:
        self._replies.clear()
        self._sequences.close()
        self._model.close()

    def _slot_for(self, key: str) -> Slot:
        busy = {reply.slot.number for reply in self._replies}
        free = [slot for slot in self._prefixes.slots if slot.number not in busy]
        own = next((slot for slot in free if slot.key == key), None)
        if own is not None:
            return own
        unowned = [slot for slot in free if slot.key is None]
        if not unowned:
            raise RuntimeError("more turns submitted than the engine has slots")
        return min(unowned, key=lambda slot: slot.used)

    def _sampler(self, turn: Turn, prompt: str, tokens: list[int]) -> Sampler | ConstrainedSampler:
        sampler = Sampler(turn.sampling, self._model.vocabulary_size, turn.offset, tokens)
        if turn.grammar is None:
            return sampler
        in_thought = prompt.rstrip().endswith(THINK)
        state = GrammarState(self._model, turn.grammar, in_thought=in_thought)
        return ConstrainedSampler(sampler, state)

    def _work(self) -> None:
        """One call of llama.cpp: a part of the next prompt, else a token for every reply.

        Prompts are not mixed with each other or with replies, because llama.cpp takes other
        kernels for other batch shapes and their rounding shows in the logits. So what a reply is
        does not depend on how many episodes run beside it.
        """
        prompting = next((reply for reply in self._replies if reply.tokens == 0), None)
        if prompting is not None:
            self._read(prompting)
        else:
            self._close_gaps()
            self._write(sorted(self._replies, key=lambda reply: reply.slot.number))

    def _close_gaps(self) -> None:
        """Moves replies from the last slots into free ones between the others.

        llama.cpp computes sequences together only where their numbers follow each other.
        """
        free = sorted(
            (slot for slot in self._prefixes.slots if slot.key is None),
            key=lambda slot: slot.number,
        )
        replies = sorted(self._replies, key=lambda reply: -reply.slot.number)
        for reply, slot in zip(replies, free, strict=False):
            if reply.slot.number < slot.number:
                return
            self._prefixes.swap(reply.slot, slot)

    def _read(self, reply: _Reply) -> None:
        """Decodes the next part of a prompt, and chooses the first token after its end."""
        slot = reply.slot
        if reply.shared is None:
            reply.shared = self._prefixes.begin(slot, reply.prompt, resumed=reply.resumed)
        chunk = self._prefixes.next_chunk(slot)
        part = Part(slot.number, len(slot.cached), chunk, logits=not slot.pending)
        logits = self._sequences.decode([part])
        self._prefixes.decoded(slot, chunk, prompt=True)
        for row in logits:
            self._advance(reply, row)

    def _write(self, replies: Sequence[_Reply]) -> None:
        """Decodes the token that was last chosen for each reply, and chooses the next one."""
        parts = []
        for reply in replies:
            slot = reply.slot
            parts.append(Part(slot.number, len(slot.cached), slot.pending, logits=True))
        logits = self._sequences.decode(parts)
        for reply, part, row in zip(replies, parts, logits, strict=True):
            self._prefixes.decoded(reply.slot, part.tokens, prompt=False)
            self._advance(reply, row)

    def _advance(self, reply: _Reply, logits: NDArray[np.float32]) -> None:
        try:
            token = reply.sampler.choose(logits)
        except NoTokenError:
            self._fail(reply, "the grammar allows no token of the model's vocabulary")
            return
        reply.tokens += 1
        if self._model.ends_reply(token):
            self._finish(reply, "stop")
            return
        piece, watch = reply.text.add(self._model.piece(token)), reply.turn.watch
        full = len(reply.slot.cached) + 1 >= self._settings.context
        if watch is not None and piece and watch(piece):
            self._finish(reply, "looping")
        elif reply.tokens >= reply.turn.max_tokens or full:
            self._finish(reply, "length")
        else:
            reply.slot.pending = [token]

    def _fail(self, reply: _Reply, reason: str) -> None:
        reply.slot.pending = []
        self._replies.remove(reply)
        self._finished.append((reply.turn.key, Generation(failure=reason)))

    def _finish(self, reply: _Reply, stop: StopReason) -> None:
        generation = Generation(
            text=reply.text.end(),
            prompt_tokens=len(reply.prompt),
            cached_tokens=reply.shared or 0,
            reply_tokens=reply.tokens,
            stop=stop,
            seconds=time.perf_counter() - reply.started,
        )
        reply.slot.pending = []
        self._replies.remove(reply)
        self._finished.append((reply.turn.key, generation))
