"""Choosing tokens that a grammar allows, with llama.cpp's own grammar sampler.

llama.cpp ends the process when its sampler is told of a token that the grammar refuses. Here it is
asked first, every time. What the grammar says is `tooldrill.agent.constrain`'s work.
"""

from __future__ import annotations

import codecs
import ctypes
import weakref
from collections.abc import Iterator
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from tooldrill.agent.constrain.grammar import IN_THOUGHT, ROOT, Grammar, GrammarError
from tooldrill.agent.constrain.rules import references
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.engines.sampling import Sampler

_TOKEN = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
# Likely tokens looked at before more are, and how many more each time.
_FEW, _MORE = 64, 8
_strict_utf8 = codecs.getincrementaldecoder("utf-8")


class NoTokenError(Exception):
    """The grammar allows no token of the vocabulary: the reply cannot go on."""


class GrammarState:
    """How far a reply has come in its grammar.

    Args:
        model: whose vocabulary the tokens are of; it must stay open as long as this is used.
        in_thought: the prompt has opened the reply's thinking.

    Raises:
        GrammarError: when llama.cpp does not take the grammar.
    """

    def __init__(self, model: GgufModel, grammar: Grammar, *, in_thought: bool = False) -> None:
        self._handle = _sampler(model, grammar.text, IN_THOUGHT if in_thought else ROOT)
        if not self._handle:
            raise _refused(model, grammar)
        weakref.finalize(self, llama_cpp.llama_sampler_free, self._handle)
        self._tokens = np.zeros(model.vocabulary_size, dtype=_TOKEN)
        self._model = model
        self._decoder = _strict_utf8()

    def allowed(self, tokens: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """For each of the tokens, whether llama.cpp's sampler would go on with it."""
        candidates = self._tokens[: len(tokens)]
        candidates["id"], candidates["logit"] = tokens, 0.0
        pointer = candidates.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data))
        array = llama_cpp.llama_token_data_array(pointer, len(candidates), -1, False)
        llama_cpp.llama_sampler_apply(self._handle, ctypes.byref(array))
        allowed: NDArray[np.bool_] = candidates["logit"] == 0.0
        return allowed

    def accept(self, token: int) -> bool:
        """Goes on with the token if the grammar allows it; whether it does."""
        if not self.allowed(np.array([token]))[0] or not self._is_text(token):
            return False
        llama_cpp.llama_sampler_accept(self._handle, token)
        return True

    def _is_text(self, token: int) -> bool:
        """Whether the reply is UTF-8 with the token, as far as it goes.

        llama.cpp counts as one character what is none: a text of E0 83 A9, three bytes where two
        would do, comes out as three signs that it could not be read.
        """
        before = self._decoder.getstate()
        try:
            self._decoder.decode(self._model.piece(token))
        except UnicodeDecodeError:
            self._decoder.setstate(before)
            return False
        return True


class ConstrainedSampler:
    """Chooses as another sampler does, among what the grammar allows.

    The other sampler's choice is taken when it is allowed, so that a reply that fits the grammar by
    itself is the same with and without it. Otherwise it chooses again from allowed tokens alone.
    """

    def __init__(self, sampler: Sampler, state: GrammarState) -> None:
        self._sampler = sampler
        self._state = state

    def choose(self, logits: NDArray[np.float32]) -> int:
        """The next token's id, from logits of shape (vocabulary,).

        Raises:
            NoTokenError: when no token is allowed.
        """
        token = self._sampler.propose(logits)
        while not self._state.accept(token):
            logits = logits.copy()
            logits[token] = -np.inf
            token = self._sampler.propose(self._only_allowed(logits))
        self._sampler.accept(token)
        return token

    def _only_allowed(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits, minus infinity where the grammar refuses the token.

        Where few of the likeliest decide, the others are minus infinity too: asking llama.cpp of
        the whole vocabulary takes as long as a small model's token.
        """
        enough = self._sampler.decided_by
        kept = np.empty(0, np.intp)
        for tokens in _likeliest(logits, enough):
            kept = tokens[self._state.allowed(tokens)]
            if enough is not None and kept.size >= enough:
                break
        if not kept.size:
            raise NoTokenError
        masked = np.full_like(logits, -np.inf)
        masked[kept] = logits[kept]
        return masked


def _likeliest(logits: NDArray[np.float32], enough: int | None) -> Iterator[NDArray[np.intp]]:
    """Ever more of the likeliest tokens by their ids, equals of the last one included.

    In the end all of them; from the beginning, where nothing less is `enough` (None).
    """
    count = len(logits) if enough is None else max(_FEW, 2 * enough)
    while count < len(logits):
        least = np.partition(logits, -count)[-count]
        if least == -np.inf:
            break
        yield np.flatnonzero(logits >= least)
        count *= _MORE
    yield np.flatnonzero(logits > -np.inf)


def _sampler(model: GgufModel, text: str, root: str) -> Any:
    return llama_cpp.llama_sampler_init_grammar(model.vocab, text.encode(), root.encode())


def _refused(model: GgufModel, grammar: Grammar) -> GrammarError:
    """The error for a grammar that llama.cpp does not take, with the smallest part it refuses."""
    closures = {name: _reached(grammar, name) for name in grammar.bodies}
    for name in sorted(closures, key=lambda one: len(closures[one])):
        part = {rule: grammar.bodies.get(rule, "") for rule in closures[name]}
        handle = _sampler(model, Grammar(part, {}, frozenset()).text, name)
        if not handle:
            tool = grammar.owners.get(name)
            whose = f" of tool {tool!r}" if tool else ""
            rule = f"{name} ::= {grammar.bodies[name]}"
            return GrammarError(
                f"llama.cpp refuses the grammar's rule{whose}: {rule[:200]}",
                "leave the tool out, simplify its schema, or set loop.constrain=off",
            )
        llama_cpp.llama_sampler_free(handle)
    return GrammarError("llama.cpp refuses the grammar", "set loop.constrain=off")


def _reached(grammar: Grammar, start: str) -> list[str]:
    """The rules that a rule needs, itself first."""
    found = {start: None}
    waiting = [start]
    while waiting:
        for name in references(grammar.bodies.get(waiting.pop(), "")):
            if name not in found and name in grammar.bodies:
                found[name] = None
                waiting.append(name)
    return list(found)
