"""The verdict in words: what the numbers say, and what they do not.

Sentences are chosen by the numbers alone. A difference is called one only when the exact test says
so at 5%; a model that keeps silent is named as such whatever its discipline rate.
"""

from __future__ import annotations

from collections.abc import Sequence

from tooldrill.agent.violation import ViolationClass
from tooldrill.eval.comparison import Comparison
from tooldrill.eval.measure import Measures
from tooldrill.eval.statistics import Paired, Rate
from tooldrill.eval.table import interval_text, p_text, percent, points, points_interval

_SIGNIFICANT = 0.05
_SILENT = 0.5


def verdict(measures: Sequence[Measures], comparison: Comparison | None) -> list[str]:
    """A few sentences, the most important first.

    Args:
        measures: the models; the last one is the run's end product.
        comparison: the last one against the reference; None when there is only one.
    """
    if not measures:
        return ["No model was evaluated."]
    final = measures[-1]
    sentences = [_headline(final)]
    if comparison is not None:
        sentences += _against(comparison)
    sentences += _weaknesses(final)
    sentences += [_silence(one) for one in measures if _is_silent(one)]
    excluded = sum(one.excluded for one in measures)
    if excluded:
        sentences.append(
            f"{excluded} episodes were left out because the engine failed, not the model."
        )
    return sentences


def _headline(one: Measures) -> str:
    if one.episodes == 0:
        return f"{one.name}: no episode could be judged."
    return (
        f"{one.name} keeps to the tool contract in {_spoken(one.discipline)} of its replies and "
        f"solves {_spoken(one.success)} of the {one.episodes} tasks."
    )


def _spoken(rate: Rate) -> str:
    return f"{percent(rate.value or 0.0)} (95% interval {interval_text(rate)})"


def _against(comparison: Comparison) -> list[str]:
    if comparison.success.tasks == 0:
        return [f"It shares no task with {comparison.reference} and cannot be compared with it."]
    return [
        _difference("It solves", comparison.success, comparison.reference),
        _difference("It stays free of violations in", comparison.clean, comparison.reference),
    ]


def _difference(verb: str, pair: Paired, reference: str) -> str:
    test = f"exact McNemar {p_text(pair.p_value)}"
    if pair.p_value >= _SIGNIFICANT:
        return (
            f"{verb} {_tasks(pair.only_second)} that {reference} does not, and the other way "
            f"round {pair.only_first}: no difference is shown ({test})."
        )
    word = "more" if pair.difference > 0 else "fewer"
    return (
        f"{verb} {abs(pair.only_second - pair.only_first)} {word} of {pair.tasks} tasks than "
        f"{reference} ({points(pair)}, {points_interval(pair)}; {test})."
    )


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


def _weaknesses(one: Measures) -> list[str]:
    seen = [(kind, rate) for kind, rate in one.violations.items() if rate.count]
    if not seen:
        return [f"No violation was seen in {one.replies} replies."] if one.replies else []
    worst = sorted(seen, key=lambda item: -item[1].count)[:3]
    return [f"What still goes wrong most: {', '.join(_count(kind, rate) for kind, rate in worst)}."]


def _count(kind: ViolationClass, rate: Rate) -> str:
    return f"{kind} ({rate.count} of {rate.total} replies)"


def _is_silent(one: Measures) -> bool:
    return one.call_rate.value is not None and one.call_rate.value < _SILENT


def _silence(one: Measures) -> str:
    return (
        f"{one.name} calls a tool in only {percent(one.call_rate.value or 0.0)} of the tasks that "
        f"need one: its discipline rate is that of a model that keeps silent."
    )
