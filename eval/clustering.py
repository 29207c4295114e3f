"""Rates over judged episodes, clustered by task template; the statistics are `statistics`' work.

Tasks of one template resemble each other, and so do the replies to one task: both lie within a
template, so a rate whose clusters are templates allows for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tooldrill.eval.judged import Judged
from tooldrill.eval.statistics import Rate, clustered_rate


def template_rate(judged: Iterable[Judged], counted: Callable[[Judged], tuple[int, int]]) -> Rate:
    """The rate over all episodes.

    Args:
        counted: (count, total) of one episode: what has the property, and what could have it.
    """
    clusters: dict[str, tuple[int, int]] = {}
    tasks = 0
    for one in judged:
        count, total = counted(one)
        if total:
            before = clusters.get(one.cluster, (0, 0))
            clusters[one.cluster] = (before[0] + count, before[1] + total)
            tasks += 1
    return clustered_rate(clusters.values(), tasks)


def task_rate(judged: Iterable[Judged], holds: Callable[[Judged], bool]) -> Rate:
    """The share of tasks for which it holds."""
    return template_rate(judged, lambda one: (int(holds(one)), 1))
