"""From judged episodes to measures: what a model did, as rates with intervals and means.

Episodes whose engine failed say nothing about the model: they are left out and counted. Rates are
clustered by task template (see `clustering`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from tooldrill.agent.episode import TriggerName
from tooldrill.agent.violation import ViolationClass
from tooldrill.eval.clustering import task_rate, template_rate
from tooldrill.eval.effort import wasted_steps, wrong_calls
from tooldrill.eval.judged import Judged
from tooldrill.eval.judged import judged as judged_episodes
from tooldrill.eval.recoveries import chances, recovered
from tooldrill.eval.replies import JudgedReply
from tooldrill.eval.results import Results
from tooldrill.eval.statistics import Rate


@dataclass(frozen=True)
class HintCount:
    """Hints of one trigger.

    Attributes:
        given: put into episodes.
        judged: those after which a reply came.
        helped: of the judged (see `tooldrill.agent.watchdog.judge_hints`).
    """

    given: int
    judged: int
    helped: int


@dataclass(frozen=True)
class Measures:
    """What one results file says.

    Attributes:
        episodes: judged ones; excluded: those whose engine failed.
        discipline: replies without a violation, of all replies.
        success: tasks whose checker passed.
        recovery: replies after an error observation that are disciplined, are not the same call,
            and whose task succeeds, of all replies after an error observation. An error after which
            the step budget ended has no next reply and is not counted.
        clean: tasks in which no reply had a violation.
        call_rate: must-call tasks in which a tool was called at least once.
        over_refusal: must-call tasks that were concluded without any call. (Together they can miss
            1: the rest never wrote a call that could be read and never concluded by themselves.)
        wrong_calls: calls beside the oracle's, of those carried out without a violation
            (see `effort`).
        wasted_steps: mean over solved tasks; None where none was solved.
        violations: for each class, replies that have it, of all replies.
        impossible: classes that a grammar ruled out in every episode (`loop.constrain`).
        hints: what the watchdog gave, for each trigger that spoke; empty where it was off.
        forced: episodes that were asked for a conclusion once their budget had run out.
        steps, prompt_tokens, reply_tokens, seconds: means per episode; None without episodes.
            Seconds are a reply's own, from submission to its end, added up.
    """

    name: str
    episodes: int
    excluded: int
    replies: int
    discipline: Rate
    success: Rate
    recovery: Rate
    clean: Rate
    call_rate: Rate
    over_refusal: Rate
    wrong_calls: Rate
    wasted_steps: float | None
    violations: dict[ViolationClass, Rate]
    impossible: frozenset[ViolationClass]
    hints: dict[TriggerName, HintCount]
    forced: int
    steps: float | None
    prompt_tokens: float | None
    reply_tokens: float | None
    seconds: float | None


def measure(results: Results) -> Measures:
    """All measures of one results file."""
    judged = judged_episodes(results)
    must_call = [one for one in judged if one.must_call]
    replies = sum(len(one.replies) for one in judged)
    return Measures(
        name=results.model.name,
        episodes=len(judged),
        excluded=len(results.episodes) - len(judged),
        replies=replies,
        discipline=_reply_rate(judged, lambda reply: reply.disciplined),
        success=task_rate(judged, lambda one: one.episode.success is True),
        recovery=template_rate(judged, _recoveries),
        clean=task_rate(judged, lambda one: one.clean),
        call_rate=task_rate(must_call, lambda one: one.called),
        over_refusal=task_rate(must_call, lambda one: one.concluded and not one.called),
        wrong_calls=template_rate(judged, wrong_calls),
        wasted_steps=_mean(
            float(steps) for one in judged if (steps := wasted_steps(one)) is not None
        ),
        violations={kind: _class_rate(judged, kind) for kind in ViolationClass},
        impossible=_impossible(judged),
        hints=_hints(judged),
        forced=sum(one.episode.forced for one in judged),
        steps=_mean(len(one.replies) for one in judged),
        prompt_tokens=_mean(_total(one, "prompt_tokens") for one in judged),
        reply_tokens=_mean(_total(one, "reply_tokens") for one in judged),
        seconds=_mean(_total(one, "seconds") for one in judged),
    )


def _reply_rate(judged: Sequence[Judged], holds: Callable[[JudgedReply], bool]) -> Rate:
    return template_rate(
        judged, lambda one: (sum(holds(reply) for reply in one.replies), len(one.replies))
    )


def _class_rate(judged: Sequence[Judged], kind: ViolationClass) -> Rate:
    return _reply_rate(judged, lambda reply: any(v.kind is kind for v in reply.violations))


def _impossible(judged: Sequence[Judged]) -> frozenset[ViolationClass]:
    ruled_out = [frozenset(one.episode.impossible) for one in judged]
    return frozenset.intersection(*ruled_out) if ruled_out else frozenset()


def _hints(judged: Sequence[Judged]) -> dict[TriggerName, HintCount]:
    given = [step.injected for one in judged for step in one.episode.steps if step.injected]
    counts = {}
    for name in TriggerName:
        verdicts = [hint.helped for hint in given if hint.trigger is name]
        if verdicts:
            known = [helped for helped in verdicts if helped is not None]
            counts[name] = HintCount(len(verdicts), len(known), sum(known))
    return counts


def _recoveries(one: Judged) -> tuple[int, int]:
    open_ones = chances(one)
    return sum(recovered(one, reply) for reply in open_ones), len(open_ones)


def _total(one: Judged, field: str) -> float:
    return sum(float(getattr(step, field)) for step in one.episode.steps)


def _mean(values: Iterable[float]) -> float | None:
    collected = list(values)
    return fmean(collected) if collected else None
