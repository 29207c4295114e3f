"""The operators by class, and the check that what they made is what it says it is.

An operator is written to break one rule. Registries are arbitrary, though (a user's own, renamed
ones), so every corruption is read back through the checker and the protocols before it is used.
"""

from __future__ import annotations

import random

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.protocols.catalog import PROTOCOLS
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.arguments import (
    BorrowedArgument,
    InventedArgument,
    MissingArgument,
    StickyArgument,
)
from tooldrill.data.corrupt.conduct import (
    FabricatedSuccess,
    MissingCall,
    NeedlessCall,
    NoConclusion,
    RepeatedFailure,
)
from tooldrill.data.corrupt.damage import for_protocol
from tooldrill.data.corrupt.moment import Corruption, Moment, Operator
from tooldrill.data.corrupt.naming import TerminatorAsTool, UnknownTool
from tooldrill.data.corrupt.unreadable import MalformedCall, MultipleCalls
from tooldrill.data.corrupt.wrong_value import InvalidValue, WrongType

_ALL: tuple[Operator, ...] = (
    MalformedCall(), MultipleCalls(), UnknownTool(), TerminatorAsTool(), BorrowedArgument(),
    StickyArgument(), InventedArgument(), MissingArgument(), WrongType(), InvalidValue(),
    RepeatedFailure(), NeedlessCall(), MissingCall(), FabricatedSuccess(), NoConclusion(),
)  # fmt: skip
OPERATORS: dict[ViolationClass, Operator] = {operator.kind: operator for operator in _ALL}

# Only the episode shows these: the checker finds nothing wrong with the reply.
EPISODE_CLASSES = frozenset(
    {
        ViolationClass.NEEDLESS_CALL,
        ViolationClass.MISSING_CALL,
        ViolationClass.FABRICATED_SUCCESS,
        ViolationClass.NO_CONCLUSION,
    }
)

# The four that the project began with: the wrong argument, the neighbour's argument, finishing
# called as a tool, the wrong lesson carried from one tool to another.
FOCUS = frozenset(
    {
        ViolationClass.INVENTED_ARGUMENT,
        ViolationClass.BORROWED_ARGUMENT,
        ViolationClass.TERMINATOR_AS_TOOL,
        ViolationClass.STICKY_ARGUMENT,
    }
)


def corrupt(
    kind: ViolationClass, moment: Moment, rng: random.Random, attempts: int = 4
) -> Corruption | None:
    """A checked corruption of that class; None where it does not apply."""
    for _ in range(attempts):
        corruption = OPERATORS[kind].apply(moment, rng)
        if corruption is None:
            return None
        if is_faithful(corruption, moment):
            return corruption
    return None


def is_faithful(corruption: Corruption, moment: Moment) -> bool:
    """Whether the corrupted reply breaks the rule it is meant to break, and no other.

    A repeated failure may carry the breach that made it fail the first time.
    """
    kind = corruption.kind
    if corruption.message == moment.right:
        return False
    if kind is ViolationClass.MALFORMED_CALL:
        return all(_unreadable(corruption, name) for name in PROTOCOLS)
    found = {v.kind for v in check_calls(_calls(corruption), moment.registry, moment.past)}
    if kind is ViolationClass.MULTIPLE_CALLS:
        return not found and len(_calls(corruption)) > 1
    if kind is ViolationClass.REPEATED_FAILURE:
        return kind in found
    return found == (set() if kind in EPISODE_CLASSES else {kind})


def _calls(corruption: Corruption) -> list[Call]:
    functions = [item["function"] for item in corruption.message.get("tool_calls", ())]
    return [Call(f["name"], f["arguments"]) for f in functions]


def _unreadable(corruption: Corruption, protocol_name: str) -> bool:
    protocol = PROTOCOLS[protocol_name]
    message = for_protocol([corruption.message], protocol)[0]
    reply = protocol.parse(protocol.write(message))
    return [problem.kind for problem in reply.problems] == [ViolationClass.MALFORMED_CALL]
