"""Replies that a grammar itself makes up, token by token over a real vocabulary, as judged.

What a walk through the grammar brings forth has none of the violations that are said to be
impossible, wherever it is cut off; and a call that came to its end can be read.
"""

from __future__ import annotations

import numpy as np
import pytest
from constrained_schemas import PROPERTIES, WHOLE, hard_tool
from grammar_texts import PROTOCOLS, fits, walk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tool_strategies import tools_and_arguments

from tooldrill.agent.checker import check_reply
from tooldrill.agent.constrain.grammar import reply_grammar
from tooldrill.agent.protocols.base import CallProtocol, is_malformed
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.protocols.thinking import END_THINK, THINK
from tooldrill.agent.reading import read_reply
from tooldrill.agent.settings import ConstrainMode
from tooldrill.agent.tool import Registry, Tool

pytestmark = pytest.mark.slow

OTHER = Tool("other", "", {"type": "object", "properties": {"known": {}, "zzz": {}}})
# Required, they leave no value for the whole: nothing fits them, or nothing that ends.
NEVER = ("false", "none", "fixed", "itself")
BEFORE = ["", "I look. ", f"{THINK}so{END_THINK}", f"so{END_THINK}\n", f" {END_THINK} "]


def opening(protocol: CallProtocol) -> str:
    """What a call begins with."""
    return (protocol.dialect.marks[0] if isinstance(protocol, Native) else "") or "{"


def judge(registry: Registry, protocol: CallProtocol, mode: ConstrainMode, seed: int) -> None:
    """Walks once, and judges the text and a beginning of it."""
    rng = np.random.default_rng(seed)
    grammar = reply_grammar(registry, protocol, mode)
    assert grammar is not None
    in_thought = bool(rng.random() < 0.15)
    begin = str(rng.choice(BEFORE)) + (opening(protocol) if rng.random() < 0.9 else "")
    text, ended = walk(grammar, rng, begin, in_thought=in_thought)
    for part in (text, text[: rng.integers(len(text) + 1)]):
        reply = read_reply(part, protocol, registry)
        found = {one.kind for one in check_reply(reply, registry)}
        assert not found & grammar.impossible, part
    if ended and text.startswith(opening(protocol)) and not in_thought:
        reply = read_reply(text, protocol, registry)
        # In an object of any properties, one may come twice.
        twice = any("only once" in problem.message for problem in reply.problems)
        assert twice or not is_malformed(reply), (text, reply.problems)


@pytest.mark.parametrize("name", PROPERTIES)
@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda one: one.shape)
def test_of_hard_schemas_nothing_impossible_comes(protocol: CallProtocol, name: str) -> None:
    rng = np.random.default_rng([len(name), PROTOCOLS.index(protocol)])
    names = [one for one in PROPERTIES[name] if one not in NEVER]
    for seed in range(2):
        required = [one for one in names if rng.random() < 0.4]
        tool = hard_tool(name, str(rng.choice(list(WHOLE))), required)
        judge(Registry([tool, OTHER]), protocol, "full" if seed % 2 else "call", seed)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=tools_and_arguments(), seed=st.integers(0, 2**32 - 1), full=st.booleans())
def test_of_tools_from_code_nothing_impossible_comes(
    made: tuple[Tool, object], seed: int, *, full: bool
) -> None:
    protocol = PROTOCOLS[seed % len(PROTOCOLS)]
    registry = Registry([made[0], OTHER])
    judge(registry, protocol, "full" if full else "call", seed)


def test_a_walk_that_ends_fits() -> None:
    registry = Registry([hard_tool("numbers", "plain", ["bounded"])])
    grammar = reply_grammar(registry, PROTOCOLS[0], "full")
    assert grammar is not None
    walks = [walk(grammar, np.random.default_rng(seed), "{") for seed in range(8)]
    whole = [text for text, ended in walks if ended]
    assert whole
    assert all(fits(grammar, text) for text in whole)
