"""pass^k: the share of tasks that a model solves k times out of k, from runs with other seeds.

A model that solves each task half of the time passes half of them once and few of them always: for
an agent that is what counts. S. Yao et al., tau-bench: A Benchmark for Tool-Agent-User Interaction
in Real-World Domains, 2024.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from tooldrill.eval.judged import judged
from tooldrill.eval.resampling import Numbers, cluster_interval
from tooldrill.eval.results import Results


@dataclass(frozen=True)
class Estimate:
    """pass^k with its 95% interval (bootstrap over task templates), over so many tasks."""

    value: float
    low: float
    high: float
    tasks: int


@dataclass(frozen=True)
class Repeated:
    """Runs of one model on one suite under one condition that differ by their seed alone."""

    name: str
    runs: int
    estimates: dict[int, Estimate]


def repeated(results: Sequence[Results]) -> list[Repeated]:
    """pass^k of every model that was run with two or more seeds, k from 1 to the number of runs."""
    groups: dict[str, list[Results]] = {}
    for one in results:
        if not one.condition.loop.sampling.temperature:
            continue  # greedy replies are the same whatever the seed
        groups.setdefault(_all_but_seed(one), []).append(one)
    return [
        Repeated(runs[0].model.name, len(runs), pass_hat(runs))
        for runs in groups.values()
        if len({one.condition.loop.sampling.seed for one in runs}) == len(runs) > 1
    ]


def pass_hat(runs: Sequence[Results]) -> dict[int, Estimate]:
    """For each k up to the number of runs, the mean over tasks of C(c, k) / C(n, k).

    n are a task's judged episodes and c those that solved it: the unbiased estimator of tau-bench.
    A task whose engine failed in one of the runs is left out of all: for every k the tasks are the
    same, and pass^k can only fall.
    """
    tried: dict[str, list[bool]] = {}
    clusters: dict[str, str] = {}
    for run in runs:
        for one in judged(run):
            tried.setdefault(one.episode.task, []).append(one.episode.success is True)
            clusters[one.episode.task] = one.cluster
    estimates = {}
    for k in range(1, len(runs) + 1):
        shares = {
            task: comb(sum(solved), k) / comb(len(solved), k)
            for task, solved in tried.items()
            if len(solved) == len(runs)
        }
        if shares:
            estimates[k] = _mean(shares, clusters)
    return estimates


def _mean(shares: dict[str, float], clusters: dict[str, str]) -> Estimate:
    sums: dict[str, tuple[float, int]] = {}
    for task, share in shares.items():
        total, tasks = sums.get(clusters[task], (0.0, 0))
        sums[clusters[task]] = (total + share, tasks + 1)
    columns = [np.array(column, dtype=float) for column in zip(*sums.values(), strict=True)]
    value = sum(shares.values()) / len(shares)
    low, high = cluster_interval(columns, _ratio, value, (0.0, 1.0))
    return Estimate(value, low, high, len(shares))


def _ratio(total: Numbers, tasks: Numbers, axis: int = -1) -> Numbers:
    ratio: Numbers = total.sum(axis) / tasks.sum(axis)
    return ratio


def _all_but_seed(results: Results) -> str:
    condition = results.condition.replies
    condition["loop"]["sampling"].pop("seed")
    known_by = results.model.sha256 or f"{results.model.source} {results.model.name}"
    adapters = [one.sha256 for one in results.engine.adapters] if results.engine else []
    return json.dumps([known_by, adapters, results.suite.sha256, condition], sort_keys=True)
