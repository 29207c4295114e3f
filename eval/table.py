"""The numbers of a report as plain rows, for the terminal's table, the Markdown and the HTML.

Words and rounding are decided here, so that the same number reads the same everywhere.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from tooldrill.agent.episode import TriggerName
from tooldrill.agent.violation import ViolationClass
from tooldrill.eval.after_errors import After, after_errors
from tooldrill.eval.comparison import Comparison
from tooldrill.eval.judged import judged
from tooldrill.eval.measure import HintCount, Measures, measure
from tooldrill.eval.pass_hat import Estimate
from tooldrill.eval.recoveries import recoveries
from tooldrill.eval.results import Results
from tooldrill.eval.statistics import Paired, Rate, rule_of_three

NONE = "-"
IMPOSSIBLE = "impossible (grammar)"

RATE_COLUMNS = ("discipline", "success", "recovery", "call_rate", "over_refusal")
RATE_TITLES = {
    "discipline": "Discipline rate",
    "success": "Success",
    "recovery": "Recovery",
    "call_rate": "Call rate",
    "over_refusal": "Over-refusal",
}


@dataclass(frozen=True)
class SummaryRow:
    """One model's line of the main table.

    Attributes:
        rates: texts by the names in `RATE_COLUMNS`, each `97.2% (94.1-98.7)`.
        steps, reply_tokens, seconds: means per episode.
        excluded: episodes left out because the engine failed.
    """

    model: str
    quantization: str
    episodes: int
    excluded: int
    replies: int
    rates: dict[str, str]
    steps: str
    reply_tokens: str
    seconds: str


@dataclass(frozen=True)
class HintRow:
    """One trigger of the watchdogs: a text per model, in the order of the models."""

    trigger: TriggerName
    cells: list[str]


@dataclass(frozen=True)
class ClassRow:
    """One violation class: a text per model, in the order of the models."""

    kind: ViolationClass
    cells: list[str]


def summary_rows(results: Sequence[Results]) -> list[SummaryRow]:
    """One row per results file, in their order."""
    return [summary_row(one, measure(one)) for one in results]


def summary_row(results: Results, measures: Measures) -> SummaryRow:
    """The row of one results file whose measures are known already."""
    return SummaryRow(
        model=measures.name,
        quantization=results.model.quantization or NONE,
        episodes=measures.episodes,
        excluded=measures.excluded,
        replies=measures.replies,
        rates={column: rate_text(getattr(measures, column)) for column in RATE_COLUMNS},
        steps=mean_text(measures.steps, 1),
        reply_tokens=mean_text(measures.reply_tokens, 0),
        seconds=mean_text(measures.seconds, 1),
    )


def class_rows(measures: Sequence[Measures], *, seen_only: bool = False) -> list[ClassRow]:
    """One row per violation class.

    With `seen_only`, classes that some model was caught in or could not be, because of a grammar.
    """
    return [
        ClassRow(kind, [_class_cell(one, kind) for one in measures])
        for kind in ViolationClass
        if not seen_only
        or any(one.violations[kind].count or kind in one.impossible for one in measures)
    ]


def _class_cell(one: Measures, kind: ViolationClass) -> str:
    rate = one.violations[kind]
    # Zero of what could not happen is no finding about the model.
    return IMPOSSIBLE if kind in one.impossible and not rate.count else class_text(rate)


def hint_rows(measures: Sequence[Measures]) -> list[HintRow]:
    """One row per trigger that spoke in some model."""
    return [
        HintRow(name, [hint_text(one.hints.get(name)) for one in measures])
        for name in TriggerName
        if any(name in one.hints for one in measures)
    ]


def hint_text(count: HintCount | None) -> str:
    """`5 given, 3 helped`; what was given last may have no reply after it, and is named apart."""
    if count is None:
        return "0"
    open_ones = count.given - count.judged
    unanswered = f", {open_ones} without a reply after" if open_ones else ""
    return f"{count.given} given, {count.helped} helped{unanswered}"


def forced_text(one: Measures) -> str:
    """`3 episodes were asked for a conclusion after the budget had run out.`"""
    episodes = "1 episode was" if one.forced == 1 else f"{one.forced} episodes were"
    return f"{episodes} asked for a conclusion after the budget had run out."


def known_by(results: Results) -> str:
    """What tells a model from others beside its path or address, in one line.

    Of a file its hash; of a served model what the server said, and who read the calls, since a
    server may hold them to a grammar. Adapters change a model as well.
    """
    model, server = results.model, results.model.server
    program = " ".join(str(server[key]) for key in ("program", "build", "file") if key in server)
    parts = [f"sha256 {model.sha256[:16]}" if model.sha256 else f"endpoint {program}".strip()]
    if results.condition.loop.protocol == "native" and "calls" in server:
        parts.append("calls as written" if server["calls"] == "raw" else "calls read by the server")
    if model.size:
        parts.append(f"{model.size / 1e6:.0f} MB")
    for adapter in results.engine.adapters if results.engine else ():
        name = PurePath(adapter.path).name
        parts.append(f"adapter {name}, scale {adapter.scale:g}, sha256 {adapter.sha256[:16]}")
    return " · ".join(parts)


def percent(share: float) -> str:
    """`97.2%`."""
    return f"{100 * share:.1f}%"


def interval_text(rate: Rate) -> str:
    """`94.1-98.7`, in per cent."""
    return f"{100 * rate.low:.1f}-{100 * rate.high:.1f}"


def rate_text(rate: Rate) -> str:
    """The rate and its interval; a dash when nothing was observed."""
    return NONE if rate.value is None else f"{percent(rate.value)} ({interval_text(rate)})"


def class_text(rate: Rate) -> str:
    """`3.1% (7)`; a class that was never seen shows the rule of three's upper bound."""
    if rate.value is None:
        return NONE
    if rate.count == 0:
        return f"0 (<{percent(rule_of_three(rate.effective))})"
    return f"{percent(rate.value)} ({rate.count})"


def mean_text(value: float | None, digits: int) -> str:
    """The mean with so many digits; a dash when there is none."""
    return NONE if value is None else f"{value:.{digits}f}"


def p_text(p_value: float) -> str:
    """`p = 0.031`, `p < 0.001`."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def paired_text(pair: Paired) -> str:
    """`+31.7 points (18.2 to 43.0), p < 0.001`."""
    if pair.tasks == 0:
        return "no task in common"
    return f"{points(pair)} ({points_interval(pair)}), {p_text(pair.p_value)}"


def points(pair: Paired) -> str:
    """`+31.7 points`."""
    return f"{100 * pair.difference:+.1f} points"


def points_interval(pair: Paired) -> str:
    """`+18.2 to +43.0`."""
    return f"{100 * pair.low:+.1f} to {100 * pair.high:+.1f}"


def comparison_rows(comparison: Comparison) -> list[tuple[str, str, str, str]]:
    """What is compared, its difference in points, the 95% interval and the test, a row each.

    Violation classes count episodes, and their p-values are Holm's over all of them.
    """
    if comparison.success.tasks == 0:
        return []
    rows = [
        ("tasks solved", comparison.success, p_text(comparison.success.p_value)),
        ("tasks without a violation", comparison.clean, p_text(comparison.clean.p_value)),
    ]
    told = [(name, points(pair), points_interval(pair), test) for name, pair, test in rows]
    told.append(_discipline_row(comparison))
    return told + [
        (
            f"tasks with {kind.value}",
            points(test.paired),
            points_interval(test.paired),
            f"{p_text(test.adjusted)} (Holm)",
        )
        for kind, test in comparison.classes.items()
    ]


def recovery_rows(results: Sequence[Results]) -> list[tuple[str, list[str]]]:
    """Each kind of error with a text per model, `20.0% (5.7-51.0), 2 of 10`.

    The most frequent kind comes first.
    """
    found = [recoveries(judged(one)) for one in results]
    totals: Counter[str] = Counter()
    for rates in found:
        totals.update({kind: rate.total for kind, rate in rates.items()})
    kinds = sorted(totals, key=lambda kind: (-totals[kind], kind))
    return [(kind, [counted_text(one.get(kind)) for one in found]) for kind in kinds]


def after_rows(results: Sequence[Results]) -> list[tuple[str, list[str]]]:
    """What came after errors, with a text per model, `20.0% (4)`; what no model did is left out."""
    found = [after_errors(judged(one)) for one in results]
    return [
        (what.value, [share_text(one[what], one.total()) for one in found])
        for what in After
        if any(one[what] for one in found)
    ]


def share_text(count: int, total: int) -> str:
    """`20.0% (4)`; a dash where there was nothing to count."""
    return f"{percent(count / total)} ({count})" if total else NONE


def counted_text(rate: Rate | None) -> str:
    """`20.0% (5.7-51.0), 2 of 10`; a dash where there was nothing to count."""
    if rate is None or rate.value is None:
        return NONE
    return f"{rate_text(rate)}, {rate.count} of {rate.total}"


def estimate_text(estimate: Estimate) -> str:
    """`31.2% (22.0-41.8)`."""
    return f"{percent(estimate.value)} ({100 * estimate.low:.1f}-{100 * estimate.high:.1f})"


def heat(rate: Rate) -> int:
    """How strongly a cell of the classes' table is coloured, 0 to 60, by the square root.

    Rates of one per cent and of sixty must both be told from nothing; the number stands in the
    cell, so that nothing is said by colour alone.
    """
    share: float = rate.value or 0.0
    return round(60 * math.sqrt(share))


def _discipline_row(comparison: Comparison) -> tuple[str, str, str, str]:
    found = comparison.discipline
    if found.value is None:
        return ("discipline rate", NONE, NONE, NONE)
    interval = f"{100 * found.low:+.1f} to {100 * found.high:+.1f}"
    templates = "1 template" if found.clusters == 1 else f"{found.clusters} templates"
    return ("discipline rate", f"{100 * found.value:+.1f} points", interval, templates)


def comparison_note(comparison: Comparison) -> str:
    """What makes a comparison less than it seems; empty when nothing does."""
    if comparison.success.tasks == 0:
        return "no task in common"
    if not comparison.same_suite:
        return f"different suites: only the {comparison.success.tasks} shared tasks are compared"
    return ""
