"""Choosing tokens that a grammar allows, with llama.cpp's own grammar sampler.

llama.cpp ends the process when its sampler is told of a token that the grammar refuses. Here it is
asked first, every time. What the grammar says is `tooldrill.agent.constrain`'s work.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from tooldrill.agent.constrain.grammar import IN_THOUGHT, ROOT, Grammar, GrammarError
from tooldrill.agent.constrain.rules import references
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.engines.sampling import Sampler

_TOKEN = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
# Likely tokens looked at before the whole vocabulary is.
_FEW = 64


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

    def allowed(self, tokens: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """For each of the tokens, whether the reply may go on with it."""
        candidates = self._tokens[: len(tokens)]
        candidates["id"], candidates["logit"] = tokens, 0.0
        pointer = candidates.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data))
        array = llama_cpp.llama_token_data_array(pointer, len(candidates), -1, False)
        llama_cpp.llama_sampler_apply(self._handle, ctypes.byref(array))
        allowed: NDArray[np.bool_] = candidates["logit"] == 0.0
        return allowed

    def accept(self, token: int) -> bool:
        """Goes on with the token if the grammar allows it; whether it does."""
        if not self.allowed(np.array([token]))[0]:
            return False
        llama_cpp.llama_sampler_accept(self._handle, token)
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
        if not self._state.accept(token):
            token = self._sampler.propose(self._only_allowed(logits))
            if not self._state.accept(token):
                raise NoTokenError
        self._sampler.accept(token)
        return token

    def _only_allowed(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits, minus infinity where the grammar refuses the token."""
        masked = np.full_like(logits, -np.inf)
        every = np.arange(len(logits))
        # The best of the likely ones is the best of all; drawing needs the weights of all.
        few = self._sampler.greedy and len(logits) > _FEW
        for tokens in [np.argpartition(-logits, _FEW)[:_FEW], every] if few else [every]:
            kept = tokens[self._state.allowed(tokens)]
            if kept.size:
                masked[kept] = logits[kept]
                return masked
        raise NoTokenError


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
