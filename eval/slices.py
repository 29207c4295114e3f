"""The rates of a suite's tasks by their labels: variant, number of tools, number of steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tooldrill.eval.measure import Measures, measure
from tooldrill.eval.results import Results

_TITLES = {
    "variant": "case",
    "tools": "tools offered",
    "steps": "calls needed",
    "before": "calls before the error",
}


@dataclass(frozen=True)
class SliceRow:
    """One line of a report's table.

    Attributes:
        suite: whose tasks they are; label and value as in `Slice`.
        measures: of each model; None where it was not run on that suite.
    """

    suite: str
    label: str
    value: str
    measures: list[Measures | None]


@dataclass(frozen=True)
class Slice:
    """The tasks that share one value of one label.

    Attributes:
        label: what it is called in reports.
        value: as text; measures: of these tasks alone.
    """

    label: str
    value: str
    measures: Measures


def slices(results: Results) -> list[Slice]:
    """One for each value of each label that has two or more; none without labels."""
    found: list[Slice] = []
    for label, title in _TITLES.items():
        values = [getattr(one, label) for one in results.labels]
        distinct = dict.fromkeys(values) if label == "variant" else sorted(set(values))
        if len(distinct) < 2:
            continue
        for value in distinct:
            kept = [n for n, other in enumerate(values) if other == value]
            found.append(Slice(title, str(value), measure(_only(results, kept))))
    return found


def slice_rows(results: Sequence[Results]) -> list[SliceRow]:
    """The slices of all results beside each other, a suite after the other."""
    found = [
        {(one.suite.name or "", part.label, part.value): part.measures for part in slices(one)}
        for one in results
    ]
    keys = dict.fromkeys(key for one in found for key in one)
    ordered = sorted(keys, key=lambda key: [other[0] for other in keys].index(key[0]))
    return [SliceRow(*key, [one.get(key) for one in found]) for key in ordered]


def _only(results: Results, kept: list[int]) -> Results:
    update = {
        "episodes": [results.episodes[n] for n in kept],
        "tasks": [results.tasks[n] for n in kept] if results.tasks else [],
        "task_ids": [results.task_ids[n] for n in kept],
        "labels": [results.labels[n] for n in kept],
    }
    return results.model_copy(update=update)
