"""The smallest model that is good enough: bounds on the dangerous classes, and a baseline.

Every model is asked the same: does the upper end of each class's interval lie under its budget, and
is it shown not to be inferior to the baseline? Each question has three answers, since few replies
can neither pass a model nor fail it. What the rates are is `measure`'s work.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.violation import ViolationClass
from tooldrill.eval.comparison import compare
from tooldrill.eval.measure import Measures, measure
from tooldrill.eval.results import Results
from tooldrill.eval.statistics import CONFIDENCE, Rate

# Calls that do something else than was meant, and words that hide it; shares of replies.
BUDGETS: Mapping[ViolationClass, float] = {
    ViolationClass.UNKNOWN_TOOL: 0.02,
    ViolationClass.TERMINATOR_AS_TOOL: 0.02,
    ViolationClass.BORROWED_ARGUMENT: 0.02,
    ViolationClass.STICKY_ARGUMENT: 0.02,
    ViolationClass.INVENTED_ARGUMENT: 0.02,
    ViolationClass.REPEATED_FAILURE: 0.05,
    ViolationClass.FABRICATED_SUCCESS: 0.02,
}
# Below it a model's discipline is that of silence, whatever the classes say.
FEWEST_CALLS = 0.5


class Answer(StrEnum):
    """What the evidence says."""

    PASSES = "passes"
    OPEN = "too few to tell"
    FAILS = "fails"


@dataclass(frozen=True)
class Reason:
    """One question to one model: what it is about, the answer, and the numbers behind it."""

    subject: str
    answer: Answer
    text: str


@dataclass(frozen=True)
class Candidate:
    """A model and how it fared.

    Attributes:
        size: bytes of the model's file; None where a server does not tell.
        memory: most bytes that the process took which ran it; None where that was not measured.
        tokens_per_second: generated tokens by the seconds of their replies, one episode's own; None
            without replies. Of files that were made side by side or on different machines it
            compares the machines as well.
        steps: replies per task.
        reasons: every question, in the order they were asked.
    """

    name: str
    size: int | None
    memory: int | None
    tokens_per_second: float | None
    steps: float | None
    reasons: tuple[Reason, ...]

    @property
    def answer(self) -> Answer:
        """The worst of its answers."""
        found = {reason.answer for reason in self.reasons}
        return next(one for one in (Answer.FAILS, Answer.OPEN, Answer.PASSES) if one in found)


@dataclass(frozen=True)
class Floor:
    """All candidates by size, and the smallest that passes; no `baseline` where none was given."""

    candidates: tuple[Candidate, ...]
    smallest: Candidate | None
    baseline: str | None
    margin: float
    budgets: Mapping[ViolationClass, float]


def find_floor(
    results: Sequence[Results],
    baseline: Results | None = None,
    budgets: Mapping[ViolationClass, float] = BUDGETS,
    margin: float = 0.05,
) -> Floor:
    """The smallest model that passes.

    Args:
        results: one file per model, all of the same suite.
        baseline: the model that none may be inferior to, in tasks solved.
        budgets: share of replies that a class's upper bound may reach.
        margin: share of tasks by which a model may be shown no worse than the baseline.

    Raises:
        TooldrillError: when there are no results, their suites differ, or two models share a name.
    """
    _check(results, baseline)
    candidates = sorted(
        (_candidate(one, baseline, budgets, margin) for one in results),
        key=lambda one: (one.size is None, one.size or 0),
    )
    smallest = next((one for one in candidates if one.answer is Answer.PASSES), None)
    name = baseline.model.name if baseline is not None else None
    return Floor(tuple(candidates), smallest, name, margin, budgets)


def replies_needed(budget: float) -> int:
    """Independent replies, all without a violation, after which Wilson's bound is the budget.

    The upper end for none of n is z^2 / (n + z^2) (E. B. Wilson, Probable inference, J. American
    Statistical Association 22, 1927).
    """
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    return math.ceil(z**2 * (1 - budget) / budget) if budget > 0 else 0


def _check(results: Sequence[Results], baseline: Results | None) -> None:
    if not results:
        raise TooldrillError("no results to choose from", "name results files of `tooldrill eval`")
    every = [*results, *([baseline] if baseline is not None else [])]
    first = every[0]
    other = next((one for one in every if one.suite.sha256 != first.suite.sha256), None)
    if other is not None:
        raise TooldrillError(
            f"{first.model.name} and {other.model.name} were not run on the same tasks",
            "evaluate both with the same CONFIG and seed",
        )
    names = [one.model.name for one in results]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise TooldrillError(
            f"two files are of models named {twice!r}", "evaluate with --name, a name for each"
        )


def _candidate(
    results: Results,
    baseline: Results | None,
    budgets: Mapping[ViolationClass, float],
    margin: float,
) -> Candidate:
    measures = measure(results)
    reasons = [_calls(measures)]
    reasons += [_class(measures, kind, budget) for kind, budget in budgets.items()]
    if baseline is not None:
        reasons.append(_against(results, baseline, margin))
    seconds, tokens = measures.seconds, measures.reply_tokens
    return Candidate(
        name=measures.name,
        size=results.model.size,
        memory=results.peak_memory,
        tokens_per_second=tokens / seconds if tokens is not None and seconds else None,
        steps=measures.steps,
        reasons=tuple(reasons),
    )


def _calls(measures: Measures) -> Reason:
    """Silence is not discipline: most tasks that need a call must be shown to get one."""
    rate = measures.call_rate
    answer = _above(rate, FEWEST_CALLS)
    return Reason("call_rate", answer, _rate_text(rate))


def _class(measures: Measures, kind: ViolationClass, budget: float) -> Reason:
    rate = measures.violations[kind]
    text = f"{_rate_text(rate)}, budget {100 * budget:g}%"
    if kind in measures.impossible and not rate.count:
        return Reason(kind.value, Answer.PASSES, "ruled out by a grammar: the engine's merit")
    if rate.value is None:
        return Reason(kind.value, Answer.OPEN, text)
    if rate.high <= budget:
        return Reason(kind.value, Answer.PASSES, text)
    if rate.low > budget:
        return Reason(kind.value, Answer.FAILS, text)
    if rate.count == 0 and budget > 0:
        text += f"; {replies_needed(budget)} independent replies without one would do"
    return Reason(kind.value, Answer.OPEN, text)


def _against(results: Results, baseline: Results, margin: float) -> Reason:
    found = compare(results, baseline).success
    text = (
        f"{100 * found.difference:+.1f} points of tasks solved ({100 * found.low:+.1f} to "
        f"{100 * found.high:+.1f}), margin {100 * margin:g}"
    )
    if found.tasks == 0:
        return Reason("baseline", Answer.OPEN, "no task in common")
    if found.low >= -margin:
        return Reason("baseline", Answer.PASSES, text)
    return Reason("baseline", Answer.FAILS if found.high < -margin else Answer.OPEN, text)


def _above(rate: Rate, least: float) -> Answer:
    if rate.value is None:
        # No task asked for a call: nothing can be said of silence.
        return Answer.OPEN
    if rate.low >= least:
        return Answer.PASSES
    return Answer.FAILS if rate.high < least else Answer.OPEN


def _rate_text(rate: Rate) -> str:
    if rate.value is None:
        return "not observed"
    return f"{100 * rate.value:.1f}% ({100 * rate.low:.1f}-{100 * rate.high:.1f})"
