"""Texts against grammars: llama.cpp's own sampler over the embedded model's real vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tooldrill.agent.constrain.calls import can_be_written
from tooldrill.agent.constrain.grammar import Grammar
from tooldrill.agent.engines.constrained import GrammarState
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.engines.reply_text import ReplyText
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.dialects.catalog import DIALECTS
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.protocols.react_json import ReactJson
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

PROTOCOLS: list[CallProtocol] = [
    ReactJson(),
    *(Native(dialect) for dialect in DIALECTS.values() if can_be_written(dialect)),
]
"""Every protocol, and every dialect, whose replies can be held to a grammar."""

_MARKING = frozenset(b"\"'{}[]()<>/|,:= \n-")


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


def walk(
    grammar: Grammar,
    rng: np.random.Generator,
    begin: str,
    *,
    in_thought: bool = False,
    longest: int = 120,
) -> tuple[str, bool]:
    """A reply that wanders through the grammar, and whether it came to its end.

    Tokens are drawn from those that are allowed, without a model: pieces of marks and white space
    more often than others, towards the end those alone.

    Args:
        begin: how it begins, as far as the grammar allows that.
    """
    model, text = vocabulary(), ReplyText()
    state = GrammarState(model, grammar, in_thought=in_thought)
    for token in model.tokenize(begin, special=False):
        if not state.accept(token):
            break
        text.add(model.piece(token))
    for step in range(longest):
        few = rng.choice(model.vocabulary_size, 1500, replace=False)
        groups = [few, _marking()]
        if step > longest / 3 or rng.random() < 0.6:
            groups.reverse()
        token = _next(state, rng, [*groups, np.arange(model.vocabulary_size)])
        if model.ends_reply(token):
            return text.end(), True
        text.add(model.piece(token))
    return text.end(), False


def _next(state: GrammarState, rng: np.random.Generator, groups: list[NDArray[np.intp]]) -> int:
    """A token that was accepted, of the first group that has one."""
    for group in groups:
        for token in rng.permutation(group[state.allowed(group)]):
            if state.accept(int(token)):
                return int(token)
    raise AssertionError("no token is allowed")


@cache
def _marking() -> NDArray[np.intp]:
    """Tokens that marks and white space are made of, and those that end a reply."""
    model = vocabulary()
    pieces = (model.piece(token) for token in range(model.vocabulary_size))
    found = [token for token, piece in enumerate(pieces) if piece and _MARKING.issuperset(piece)]
    return np.array([*found, *_end_of_reply()])


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
