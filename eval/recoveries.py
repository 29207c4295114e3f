"""What came after an error: the definition of recovery, and its rate for each kind of error.

An error's kind is what the checker found in the reply that brought it; a call without a breach that
came back as an error failed in the tool; one that stands in the task's history was not the model's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tooldrill.agent.checker import BLOCKING
from tooldrill.eval.clustering import template_rate
from tooldrill.eval.judged import Judged
from tooldrill.eval.replies import JudgedReply
from tooldrill.eval.statistics import Rate

TOOL_ERROR, IN_HISTORY = "tool error", "in the history"


def chances(one: Judged) -> list[JudgedReply]:
    """The replies after an error observation; a forced conclusion is none, it can call nothing."""
    own = one.replies[: len(one.episode.own_steps)]
    return [reply for reply in own if reply.after_error]


def recovered(one: Judged, reply: JudgedReply) -> bool:
    """Whether the reply is disciplined and not the same call, and the task still succeeds."""
    return reply.disciplined and not reply.repeats_failure and one.episode.success is True


def recoveries(judged: Sequence[Judged]) -> dict[str, Rate]:
    """Recovery by kind of error, the most frequent first."""
    known = {one.episode.task: list(_kinds(one)) for one in judged}
    seen = dict.fromkeys(kind for kinds in known.values() for kind, _ in kinds)
    rates = {kind: _after(judged, known, kind) for kind in seen}
    return dict(sorted(rates.items(), key=lambda item: (-item[1].total, item[0])))


def _after(
    judged: Sequence[Judged], known: Mapping[str, Sequence[tuple[str, bool]]], kind: str
) -> Rate:
    def counted(one: Judged) -> tuple[int, int]:
        after = [good for name, good in known[one.episode.task] if name == kind]
        return sum(after), len(after)

    return template_rate(judged, counted)


def _kinds(one: Judged) -> Iterator[tuple[str, bool]]:
    for reply in chances(one):
        yield _kind(one, reply.index), recovered(one, reply)


def _kind(one: Judged, index: int) -> str:
    """The kind of the error before the reply of that index."""
    if index == 0:
        return IN_HISTORY
    broken = [v.kind for v in one.episode.steps[index - 1].violations if v.kind in BLOCKING]
    return broken[0].value if broken else TOOL_ERROR
