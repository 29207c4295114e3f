"""Texts against grammars: llama.cpp's own sampler over the embedded model's real vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from tooldrill.agent.constrain.grammar import Grammar
from tooldrill.agent.engines.constrained import GrammarState
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings


@cache
def vocabulary() -> GgufModel:
    """The embedded model without its weights."""
    path = resolve(ModelSettings()).gguf_path
    assert path is not None
    return GgufModel(path, vocabulary_only=True)


def has_tokens(text: str) -> bool:
    """Whether the vocabulary has tokens for the text: it lacks some bytes."""
    model = vocabulary()
    pieces = [model.piece(token) for token in model.tokenize(text, special=False)]
    return b"".join(pieces) == text.encode()


def fits(grammar: Grammar, text: str, *, in_thought: bool = False) -> bool:
    """Whether the text is a whole reply of the grammar."""
    return refused_at(grammar, text, in_thought=in_thought) is None


def refused_at(grammar: Grammar, text: str, *, in_thought: bool = False) -> str | None:
    """What of the text was accepted before a token was refused; None when the reply may end."""
    model = vocabulary()
    state = GrammarState(model, grammar, in_thought=in_thought)
    accepted = b""
    for token in [*model.tokenize(text, special=False), *_end_of_reply()]:
        if not state.accept(token):
            return accepted.decode(errors="replace")
        accepted += model.piece(token)
    return None


def next_pieces(grammar: Grammar, text: str) -> Iterator[str]:
    """Every piece of the vocabulary with which the reply may go on after the text."""
    model = vocabulary()
    state = GrammarState(model, grammar)
    assert all(state.accept(token) for token in model.tokenize(text, special=False))
    allowed = state.allowed(np.arange(model.vocabulary_size))
    for token in np.flatnonzero(allowed):
        yield "" if model.ends_reply(int(token)) else model.piece(int(token)).decode("latin-1")


@cache
def _end_of_reply() -> tuple[int, ...]:
    tokens = vocabulary().tokenize("<|im_end|>")
    assert len(tokens) == 1
    assert vocabulary().ends_reply(tokens[0])
    return tuple(tokens)
