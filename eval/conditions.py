"""What a condition does to a model: each cell of a matrix beside the base of its suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tooldrill.eval.comparison import compare
from tooldrill.eval.measure import Measures, measure
from tooldrill.eval.results import Results
from tooldrill.eval.statistics import Paired


@dataclass(frozen=True)
class Beside:
    """A model under one condition.

    Attributes:
        success: against the base condition, on the same tasks; None where these differ.
    """

    measures: Measures
    success: Paired | None


@dataclass(frozen=True)
class ConditionRow:
    """One condition: what each model did, None where it was not run."""

    name: str
    models: list[Beside | None]


def condition_rows(base: Sequence[Results], others: Sequence[Results]) -> list[ConditionRow]:
    """The conditions in the order in which they first come.

    Args:
        base: of each model, under the base condition.
        others: the same models under other conditions (`Results.cell`).
    """
    rows = []
    for name in dict.fromkeys(one.cell for one in others):
        found = {one.model.name: one for one in others if one.cell == name}
        rows.append(ConditionRow(name, [_beside(one, found.get(one.model.name)) for one in base]))
    return rows


def _beside(base: Results, other: Results | None) -> Beside | None:
    if other is None:
        return None
    same = base.suite.sha256 == other.suite.sha256
    return Beside(measure(other), compare(other, base).success if same else None)
