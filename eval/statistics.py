"""Intervals for rates and paired comparisons; statsmodels does what it has.

The observations of a rate come in clusters: the replies to one task, the tasks of one template.
They resemble each other, and treated as independent they would give an interval that is too narrow.
A rate gets Wilson's interval at the effective sample size n / design effect, the design effect
being the ratio of the clustered to the binomial variance (J. N. K. Rao and A. J. Scott, A simple
method for the analysis of clustered binary data, Biometrics 48, 1992; the interval: N. Dean and
M. Pagano, Evaluating confidence interval methods for binomial proportions in clustered surveys,
J. Survey Statistics and Methodology 3, 2015). No seed is needed and it does not collapse to a point
as a bootstrap does when all clusters agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from scipy.stats import t as student_t
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rate:
    """A proportion with its interval.

    Attributes:
        count: observations with the property, of `total`.
        low, high: the interval, from 0 to 1; it is the whole range when `total` is 0.
        effective: the number of independent observations the interval was computed for.
    """

    count: int
    total: int
    low: float
    high: float
    effective: float

    @property
    def value(self) -> float | None:
        """The proportion, None when nothing was observed."""
        return self.count / self.total if self.total else None


@dataclass(frozen=True)
class Paired:
    """Two models on the same tasks.

    Attributes:
        tasks: tasks both were judged on.
        only_first, only_second: tasks that only one of them passed.
        difference: share of the second minus share of the first, with `low` and `high`.
        p_value: exact McNemar test of no difference, two-sided.
    """

    tasks: int
    only_first: int
    only_second: int
    difference: float
    low: float
    high: float
    p_value: float


def clustered_rate(clusters: Iterable[tuple[int, int]], units: int | None = None) -> Rate:
    """A rate over observations that come in clusters.

    Args:
        clusters: (count, total) of each cluster; empty clusters are ignored.
        units: what the observations are at least independent in, the tasks say; one for each
            cluster when None.

    The effective size is also multiplied by (z / t)^2, t with clusters - 1 degrees of freedom,
    since a design effect estimated from few clusters is itself uncertain (E. L. Korn and
    B. I. Graubard, Survey Methodology 24, 1998). Where all observations agree, or there is one
    cluster, nothing tells how alike the observations of a cluster are: each unit then counts as
    one observation. A few events tell as little, so no bound is closer to 0 or 1 than it would be
    without any: two violations must not make a model safer than none.
    """
    pairs = np.array([pair for pair in clusters if pair[1] > 0], dtype=float).reshape(-1, 2)
    groups = len(pairs)
    count, total = int(pairs[:, 0].sum()), int(pairs[:, 1].sum())
    units = groups if units is None else min(units, total)
    if groups == total:
        return _wilson(count, total, float(total))
    if groups < 2 or count in (0, total):
        return _wilson(count, total, float(units))
    share = count / total
    residuals = pairs[:, 0] - share * pairs[:, 1]
    variance = groups / (groups - 1) * float((residuals**2).sum()) / total**2
    design_effect = max(1.0, variance / (share * (1 - share) / total))
    uncertainty = (_normal_quantile() / _student_quantile(groups - 1)) ** 2
    rate = _wilson(count, total, total / design_effect * uncertainty)
    never, always = _wilson(0, total, float(units)), _wilson(total, total, float(units))
    return replace(rate, low=min(rate.low, always.low), high=max(rate.high, never.high))


def rule_of_three(observations: float) -> float:
    """Upper 95% bound of a rate whose event was never seen in so many independent observations.

    J. A. Hanley and A. Lippman-Hand, If nothing goes wrong, is everything all right?
    JAMA 249, 1983.
    """
    return min(1.0, 3.0 / observations) if observations > 0 else 1.0


def paired(first: Mapping[str, bool], second: Mapping[str, bool]) -> Paired:
    """Compares two models on the tasks both have, by exact McNemar.

    The interval of the difference is the adjusted Wald interval of D. G. Bonett and R. M. Price,
    Adjusted Wald confidence interval for a difference of binomial proportions based on paired data,
    J. Educational and Behavioral Statistics 37, 2012.
    """
    shared = first.keys() & second.keys()
    only_first = sum(first[task] and not second[task] for task in shared)
    only_second = sum(second[task] and not first[task] for task in shared)
    tasks = len(shared)
    if tasks == 0:
        return Paired(0, 0, 0, 0.0, -1.0, 1.0, 1.0)
    test = mcnemar([[0, only_first], [only_second, 0]], exact=True)
    gain, loss = (only_second + 1) / (tasks + 2), (only_first + 1) / (tasks + 2)
    spread = ((gain + loss - (gain - loss) ** 2) / (tasks + 2)) ** 0.5 * _normal_quantile()
    return Paired(
        tasks,
        only_first,
        only_second,
        difference=(only_second - only_first) / tasks,
        low=max(-1.0, gain - loss - spread),
        high=min(1.0, gain - loss + spread),
        p_value=min(1.0, float(test.pvalue)),
    )


def _wilson(count: int, total: int, effective: float) -> Rate:
    if total == 0 or effective <= 0:
        return Rate(count, total, 0.0, 1.0, 0.0)
    share = count / total
    low, high = proportion_confint(
        share * effective, effective, alpha=1 - CONFIDENCE, method="wilson"
    )
    # Rounding may leave the observed rate a hair outside its own interval at 0 and 1.
    return Rate(count, total, min(float(low), share), max(float(high), share), effective)


def _normal_quantile() -> float:
    return NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)


def _student_quantile(freedom: int) -> float:
    return float(student_t.ppf(0.5 + CONFIDENCE / 2, freedom))
