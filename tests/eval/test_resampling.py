"""Intervals by resampling do not depend on what says nothing."""

import numpy as np
import pytest

from tooldrill.eval.resampling import cluster_interval


def ratio(counts, totals, axis=-1):
    return counts.sum(axis) / totals.sum(axis)


def interval(counts, totals):
    value = float(counts.sum() / totals.sum())
    return cluster_interval([counts, totals], ratio, value, (0.0, 1.0))


def test_the_order_of_the_clusters_says_nothing():
    rng = np.random.default_rng(3)
    totals = rng.integers(1, 9, size=25).astype(float)
    counts = np.floor(totals * rng.random(25))
    expected = interval(counts, totals)
    for _ in range(5):
        order = rng.permutation(25)
        assert interval(counts[order], totals[order]) == expected
    assert [type(end) for end in expected] == [float, float]


def test_no_spread_reaches_as_far_as_the_rule_of_three():
    assert interval(np.ones(30), np.ones(30)) == pytest.approx((0.9, 1.0))
    assert interval(np.ones(1), np.ones(1)) == (0.0, 1.0)


def test_the_interval_covers_the_truth():
    """Thirty clusters of ten with a rate of their own, 0.7 on average."""
    rng = np.random.default_rng(8)
    inside = 0
    for _ in range(100):
        counts = rng.binomial(10, rng.beta(7, 3, size=30)).astype(float)
        low, high = interval(counts, np.full(30, 10.0))
        inside += low <= 0.7 <= high
    assert inside >= 90
