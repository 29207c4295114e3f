"""The grammar that a reply is held to, and what it makes impossible.

Pure text (GBNF): holding a model to it is the engines' work. A reply that is cut off at its token
limit fits no grammar to its end, and text can be an attempt to call in a notation of its own, so
`malformed_call` is never said to be impossible; nor is what an episode as a whole does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from tooldrill.agent.constrain.loose import EVERYTHING
from tooldrill.agent.constrain.replies import IN_THOUGHT, ROOT, ReplyRules
from tooldrill.agent.constrain.rules import Rules
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.settings import ConstrainMode
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import ViolationClass

__all__ = ["IN_THOUGHT", "ROOT", "Grammar", "GrammarError", "reply_grammar"]

_OF_CALLS = EVERYTHING | {
    ViolationClass.MULTIPLE_CALLS,
    ViolationClass.UNKNOWN_TOOL,
    ViolationClass.TERMINATOR_AS_TOOL,
}


class GrammarError(TooldrillError):
    """llama.cpp does not take a grammar: nobody's reply can be held to it."""


@dataclass(frozen=True)
class Grammar:
    """What replies may be.

    Attributes:
        bodies: GBNF expressions by rule; a reply begins at `ROOT`, or at `IN_THOUGHT` where the
            prompt has opened the thinking already.
        owners: the tool that a rule was made for, by rule.
        impossible: violations that no reply held to it can have.
    """

    bodies: Mapping[str, str]
    owners: Mapping[str, str]
    impossible: frozenset[ViolationClass]

    @cached_property
    def text(self) -> str:
        """The grammar as llama.cpp reads it."""
        return "".join(f"{name} ::= {body}\n" for name, body in self.bodies.items())


def reply_grammar(
    registry: Registry, protocol: CallProtocol, mode: ConstrainMode, *, repair: bool = False
) -> Grammar | None:
    """The grammar of the calls of these tools; None when `mode` is off.

    Args:
        mode: `call` leaves text free until a call begins, `full` also binds what stands there.
        repair: the loop mends malformed replies. What mending makes of a cut-off reply is bound
            by nothing, so that nothing is impossible then.

    Raises:
        TooldrillError: when the protocol's calls, or one of the tools, cannot be constrained.
    """
    if mode == "off":
        return None
    rules = Rules()
    replies = ReplyRules(rules, registry, protocol, mode)
    impossible = frozenset() if repair else _OF_CALLS - replies.loose
    return Grammar(rules.bodies, rules.owners, impossible)
