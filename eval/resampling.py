"""Intervals by resampling clusters, for what has no interval in a formula; SciPy resamples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, norm
from scipy.stats import t as student_t

from tooldrill.eval.statistics import CONFIDENCE, rule_of_three

RESAMPLES = 4000
_SEED = 20
_NO_SPREAD = 1e-12

Numbers = NDArray[np.float64]


def cluster_interval(
    columns: Sequence[Numbers],
    statistic: Callable[..., Numbers],
    value: float,
    limits: tuple[float, float],
) -> tuple[float, float]:
    """The 95% interval of a statistic whose observations come in clusters; the same every time.

    Percentile interval of the bootstrap over clusters (B. Efron and R. Tibshirani, An Introduction
    to the Bootstrap, 1993, chapter 13), widened by t / z and sqrt(n / (n - 1)) for n clusters,
    since few clusters understate their spread. Where no resample differs from another, the spread
    was not seen: the interval then reaches as far as the rule of three over the clusters.

    Args:
        columns: what the statistic is made of, each of shape (clusters,).
        statistic: takes the columns, each of shape (..., clusters), and `axis`.
        value: the statistic of the columns as they are.
        limits: least and greatest value possible; the interval of fewer than two clusters.
    """
    least, most = limits
    number = len(columns[0])
    if number < 2:
        return limits
    # The order of the clusters says nothing, and the resamples drawn depend on it.
    order = np.lexsort(columns)
    found = bootstrap(
        [column[order] for column in columns], statistic, paired=True, vectorized=True,
        n_resamples=RESAMPLES, confidence_level=CONFIDENCE, method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval  # fmt: skip
    if found.high - found.low < _NO_SPREAD:
        reach = rule_of_three(number)
        return float(max(least, value - reach)), float(min(most, value + reach))
    tail = 0.5 + CONFIDENCE / 2
    wider = student_t.ppf(tail, number - 1) / norm.ppf(tail) * (number / (number - 1)) ** 0.5
    low, high = (value + wider * (float(end) - value) for end in (found.low, found.high))
    return float(max(least, min(low, value))), float(min(most, max(high, value)))
