"""Which tool's parameters are written on which other tool: the map of `borrowed_argument`.

Counted from the violations that the checker recorded; nothing is judged again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tooldrill.agent.violation import ViolationClass
from tooldrill.eval.judged import judged
from tooldrill.eval.results import Results


@dataclass(frozen=True)
class Borrowing:
    """One way to borrow.

    Attributes:
        argument: the parameter's name.
        donors: the tools that have it, in registry order.
        victim: the tool it was written on.
        counts: how often, for each results file in their order.
    """

    argument: str
    donors: tuple[str, ...]
    victim: str
    counts: tuple[int, ...]


def borrowings(results: Sequence[Results]) -> list[Borrowing]:
    """Every (donors, argument, victim) that was seen, the most frequent first."""
    counted = [_counted(one) for one in results]
    seen = sorted(set().union(*counted)) if counted else []
    found = [
        Borrowing(argument, donors, victim, tuple(c[donors, argument, victim] for c in counted))
        for donors, argument, victim in seen
    ]
    return sorted(found, key=lambda one: -sum(one.counts))


def _counted(results: Results) -> Counter[tuple[tuple[str, ...], str, str]]:
    return Counter(
        (violation.owners, violation.argument or "", violation.tool or "")
        for one in judged(results)
        for reply in one.replies
        for violation in reply.violations
        if violation.kind is ViolationClass.BORROWED_ARGUMENT
    )
