import math

import numpy as np
import pytest

from tooldrill.eval.statistics import clustered_rate, paired, rule_of_three


def simple_rate(count, total):
    """Of observations that are each on their own."""
    return clustered_rate([(1, 1)] * count + [(0, 1)] * (total - count))


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    # R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in
    # Medicine 17, 1998, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_matches_the_published_table(count, total, low, high):
    rate = simple_rate(count, total)
    assert rate.low == pytest.approx(low, abs=5e-5)
    assert rate.high == pytest.approx(high, abs=5e-5)


def test_nothing_observed_says_nothing():
    for rate in (simple_rate(0, 0), clustered_rate([]), clustered_rate([(0, 0), (0, 0)])):
        assert rate.value is None
        assert (rate.low, rate.high) == (0.0, 1.0)


def test_replies_that_agree_within_tasks_count_as_tasks():
    # Ten tasks of four replies, all good or all bad: variance 10/9 * 10 * 2^2 / 40^2 = 1/36, the
    # binomial one 1/160, so 40 replies are worth 9, times (z / t with 9 degrees of freedom)^2.
    rate = clustered_rate([(4, 4)] * 5 + [(0, 4)] * 5)
    assert rate.value == 0.5
    assert rate.effective == pytest.approx(9 * (1.959964 / 2.262157) ** 2, rel=1e-5)


def test_clusters_of_one_reply_are_independent_replies():
    rate = clustered_rate([(1, 1)] * 12 + [(0, 1)] * 8)
    assert (rate.effective, rate.total) == (20, 20)


def test_a_few_events_never_make_a_bound_closer_than_none():
    # Twelve templates of five tasks of four replies; the events in as many templates.
    def high(events):
        return clustered_rate([(int(n < events), 20) for n in range(12)], units=60).high

    bounds = [high(events) for events in range(6)]
    assert bounds == sorted(bounds)
    assert bounds[0] == pytest.approx(simple_rate(0, 60).high)
    low = clustered_rate([(20 - int(n < 2), 20) for n in range(12)], units=60).low
    assert low == pytest.approx(1 - bounds[2])


def test_tasks_of_a_template_that_agree_widen_the_interval():
    alike = clustered_rate([(20, 20)] * 6 + [(0, 20)] * 6, units=60)
    apart = clustered_rate([(10, 20)] * 12, units=60)
    assert alike.value == apart.value
    assert alike.high - alike.low > 2 * (apart.high - apart.low)


def test_the_effective_size_never_exceeds_the_replies():
    # Every task half good: less spread between tasks than chance would give.
    rate = clustered_rate([(2, 4)] * 10)
    assert rate.effective <= 40


def test_where_all_replies_agree_a_task_counts_once():
    perfect, never = clustered_rate([(5, 5)] * 20), clustered_rate([(0, 5)] * 20)
    assert perfect.effective == never.effective == 20
    assert never.high == pytest.approx(0.1611, abs=5e-5)  # Newcombe's 0 of 20
    assert perfect.low == pytest.approx(1 - 0.1611, abs=5e-5)
    assert perfect.high == 1.0


def test_intervals_contain_the_rate():
    rng = np.random.default_rng(5)
    for _ in range(200):
        totals = rng.integers(0, 6, size=rng.integers(1, 12))
        rate = clustered_rate((int(rng.integers(0, n + 1)), int(n)) for n in totals)
        if rate.value is not None:
            assert 0 <= rate.low <= rate.value <= rate.high <= 1


def test_clustered_intervals_cover_where_plain_ones_do_not():
    """Beta-binomial tasks: intra-class correlation 1/3, mean 0.8, 60 tasks of 5 replies."""
    rng = np.random.default_rng(11)
    truth, trials, covered, naive = 0.8, 400, 0, 0
    for _ in range(trials):
        good = rng.binomial(5, rng.beta(2 * truth, 2 * (1 - truth), size=60))
        rate = clustered_rate((int(count), 5) for count in good)
        plain = simple_rate(int(good.sum()), 300)
        covered += rate.low <= truth <= rate.high
        naive += plain.low <= truth <= plain.high
    assert covered / trials > 0.93
    assert naive / trials < 0.88


def test_rule_of_three():
    assert rule_of_three(60) == 0.05
    assert rule_of_three(2) == 1.0
    assert rule_of_three(0) == 1.0
    # It approximates the exact bound 1 - 0.05^(1/n).
    assert rule_of_three(100) == pytest.approx(1 - 0.05 ** (1 / 100), rel=0.02)


def test_paired_is_the_exact_binomial_test_of_the_discordant_tasks():
    first = {f"t{i}": i < 3 for i in range(20)}
    second = {f"t{i}": 2 <= i < 11 for i in range(20)}  # loses t0 and t1, gains t3 to t10
    pair = paired(first, second)
    assert (pair.tasks, pair.only_first, pair.only_second) == (20, 2, 8)
    assert pair.difference == pytest.approx(0.3)
    assert pair.p_value == pytest.approx(2 * sum(math.comb(10, k) for k in range(3)) / 2**10)


def test_paired_interval_by_hand():
    # 21 tasks, 7 and 1 discordant: (8 - 2) / 23 -+ z sqrt((10/23 - (6/23)^2) / 23).
    first = {f"t{i}": i == 0 for i in range(21)}
    second = {f"t{i}": 1 <= i <= 7 for i in range(21)}
    pair = paired(first, second)
    assert pair.low == pytest.approx(0.01338, abs=1e-4)
    assert pair.high == pytest.approx(0.50836, abs=1e-4)


def test_paired_uses_shared_tasks_only():
    pair = paired({"a": True, "b": False}, {"b": True, "c": False})
    assert (pair.tasks, pair.only_second) == (1, 1)
    assert paired({"a": True}, {"b": True}).tasks == 0


def test_equal_models_do_not_differ():
    same = {f"t{i}": i % 2 == 0 for i in range(30)}
    pair = paired(same, same)
    assert pair.difference == 0
    assert pair.p_value == 1.0
    assert pair.low < 0 < pair.high
