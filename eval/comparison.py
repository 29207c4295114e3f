"""One model against a reference, task by task: success, discipline, and each violation class.

Only tasks that both were judged on count, whatever their order in the files. The intervals of
single models are `measure`'s work; which difference is too large is `requirement`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from statsmodels.stats.multitest import multipletests

from tooldrill.agent.violation import ViolationClass
from tooldrill.eval.judged import Judged, judged
from tooldrill.eval.resampling import Numbers, cluster_interval
from tooldrill.eval.results import Results
from tooldrill.eval.statistics import Paired, paired


@dataclass(frozen=True)
class Difference:
    """A difference of two rates over replies, `results` minus reference, in shares of 1.

    Attributes:
        value: None where one of the two has no reply.
        clusters: task templates that were resampled.
    """

    value: float | None
    low: float
    high: float
    clusters: int


@dataclass(frozen=True)
class ClassTest:
    """Episodes with a violation class: exact McNemar.

    Attributes:
        paired: differences are shares of episodes that have it, more being worse.
        adjusted: the p-value by Holm over all classes that were seen in either model.
    """

    paired: Paired
    adjusted: float


@dataclass(frozen=True)
class Comparison:
    """One model against a reference on the tasks both were judged on.

    Attributes:
        same_suite: the files hold the same tasks.
        success, clean: shares of tasks solved, and of tasks without any violation.
        discipline: share of replies without a violation.
        classes: of the violation classes, those that were seen in either.
    """

    name: str
    reference: str
    same_suite: bool
    success: Paired
    clean: Paired
    discipline: Difference
    classes: Mapping[ViolationClass, ClassTest]


def compare(results: Results, reference: Results) -> Comparison:
    """Paired comparison; differences are `results` minus `reference`."""
    ours = {one.episode.task: one for one in judged(results)}
    theirs = {one.episode.task: one for one in judged(reference)}
    shared = [task for task in ours if task in theirs]
    pairs = [(ours[task], theirs[task]) for task in shared]
    return Comparison(
        name=results.model.name,
        reference=reference.model.name,
        same_suite=results.suite.sha256 == reference.suite.sha256,
        success=paired(
            {task: theirs[task].episode.success is True for task in shared},
            {task: ours[task].episode.success is True for task in shared},
        ),
        clean=paired(
            {task: theirs[task].clean for task in shared},
            {task: ours[task].clean for task in shared},
        ),
        discipline=_discipline(pairs),
        classes=_classes(pairs),
    )


def _classes(pairs: Sequence[tuple[Judged, Judged]]) -> dict[ViolationClass, ClassTest]:
    tests: dict[ViolationClass, Paired] = {}
    for kind in ViolationClass:
        ours = {one.episode.task: kind in one.classes for one, _ in pairs}
        theirs = {one.episode.task: kind in one.classes for _, one in pairs}
        if any(ours.values()) or any(theirs.values()):
            tests[kind] = paired(theirs, ours)
    if not tests:
        return {}
    adjusted = multipletests([test.p_value for test in tests.values()], method="holm")[1]
    return {
        kind: ClassTest(test, float(p))
        for (kind, test), p in zip(tests.items(), adjusted, strict=True)
    }


def _discipline(pairs: Sequence[tuple[Judged, Judged]]) -> Difference:
    """Paired bootstrap over task templates: what is alike in two tasks is their template."""
    clusters: dict[str, list[tuple[Judged, Judged]]] = {}
    for ours, theirs in pairs:
        clusters.setdefault(ours.cluster, []).append((ours, theirs))
    counts = np.array([_counts(group) for group in clusters.values()], dtype=float).reshape(-1, 4)
    number = len(counts)
    if number == 0 or counts[:, 1].sum() == 0 or counts[:, 3].sum() == 0:
        return Difference(None, -1.0, 1.0, number)
    columns = [counts[:, column] for column in range(4)]
    value = float(_rate_difference(columns[0], columns[1], columns[2], columns[3]))
    low, high = cluster_interval(columns, _rate_difference, value, (-1.0, 1.0))
    return Difference(value, low, high, number)


def _counts(group: Sequence[tuple[Judged, Judged]]) -> tuple[int, int, int, int]:
    """Disciplined replies and replies of a cluster, ours and then the reference's."""
    ours, theirs = zip(*group, strict=True)
    return (
        sum(one.disciplined for one in ours),
        sum(len(one.replies) for one in ours),
        sum(one.disciplined for one in theirs),
        sum(len(one.replies) for one in theirs),
    )


def _rate_difference(
    good: Numbers, replies: Numbers, other_good: Numbers, other: Numbers, axis: int = -1
) -> Numbers:
    # A resample may hold no reply of a model whose episodes are empty.
    ours = good.sum(axis) / np.maximum(replies.sum(axis), 1)
    theirs = other_good.sum(axis) / np.maximum(other.sum(axis), 1)
    difference: Numbers = ours - theirs
    return difference
