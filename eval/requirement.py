"""What a model is required to be, as a line of text: `discipline < 0.98` fails it.

For CI: a condition is read against the measures of one results file. A measure that was not
observed fails the model too, in words of its own: silence is no evidence.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.names import nearest
from tooldrill.agent.violation import ViolationClass
from tooldrill.eval.comparison import Comparison, Difference
from tooldrill.eval.measure import Measures
from tooldrill.eval.statistics import Paired, Rate

RATES = ("discipline", "success", "recovery", "clean", "call_rate", "over_refusal", "wrong_calls")
NUMBERS = (
    "episodes", "excluded", "replies", "forced", "steps", "wasted_steps", "prompt_tokens",
    "reply_tokens", "seconds",
)  # fmt: skip
NAMES = (*RATES, *(kind.value for kind in ViolationClass), *NUMBERS)
PARTS = ("value", "low", "high", "count")
COMPARED = ("discipline", "success", "clean")

_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge
}  # fmt: skip
_CONDITION = re.compile(
    r"\s*(?P<name>[A-Za-z_]+)(?:\.(?P<part>[a-z]+))?\s*(?P<sign><=|>=|<|>)"
    r"\s*(?P<bound>\d+(?:\.\d*)?|\.\d+)\s*(?P<percent>%?)\s*"
)


@dataclass(frozen=True)
class Condition:
    """A condition under which a model fails.

    Attributes:
        name: a rate, a violation class (share of replies), or a number of the summary.
        part: of a rate: its `value`, the `low` or `high` end of its interval, or the `count`.
    """

    text: str
    name: str
    part: str
    sign: str
    bound: float


@dataclass(frozen=True)
class Finding:
    """What came of one requirement: whether the model failed it, and a line that says why."""

    failed: bool
    text: str


def read_condition(text: str) -> Condition:
    """Reads `NAME[.PART] SIGN NUMBER`, such as `discipline.low < 0.95` or `unknown_tool > 1%`.

    Raises:
        TooldrillError: when it is not of that form, or names what is not measured.
    """
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise TooldrillError(
            f"{text!r} is no condition",
            'write a measure, a sign and a number: --fail-if "discipline < 0.98"',
        )
    name, part = found["name"], found["part"]
    if name not in NAMES:
        close = nearest(name, NAMES)
        step = f"did you mean {close}?" if close else f"name one of {', '.join(NAMES)}"
        raise TooldrillError(f"{text!r}: there is no measure named {name!r}", step)
    if part is not None and (part not in PARTS or name in NUMBERS):
        step = "only rates have parts" if name in NUMBERS else f"name one of {', '.join(PARTS)}"
        raise TooldrillError(f"{text!r}: {name} has no part named {part!r}", step)
    bound = float(found["bound"]) / (100 if found["percent"] else 1)
    if name not in NUMBERS and part != "count" and bound > 1:
        raise TooldrillError(
            f"{text!r}: a rate lies between 0 and 1", f"write {bound / 100:g}, or {bound:g}%"
        )
    return Condition(text.strip(), name, part or "value", found["sign"], bound)


def check(condition: Condition, measures: Measures) -> Finding:
    """Whether the model fails by this condition."""
    value = _value(condition, measures)
    if value is None:
        return Finding(True, f"{condition.text}: {condition.name} was not observed")
    failed = _SIGNS[condition.sign](value, condition.bound)
    shown = condition.name if condition.part == "value" else f"{condition.name}.{condition.part}"
    note = ""
    if not failed and condition.name in measures.impossible:
        note = "; a grammar ruled it out, which says nothing of the model"
    return Finding(failed, f"{condition.text}: {shown} is {value:.4g}{note}")


def no_worse(comparison: Comparison, margin: float, measure: str = "discipline") -> Finding:
    """Non-inferiority: the lower end of the paired interval may not lie below -`margin`.

    G. Piaggio et al., Reporting of noninferiority and equivalence randomized trials, JAMA 308,
    2012. That no difference is shown is not enough: few tasks show none.

    Args:
        measure: one of `COMPARED`.
    """
    difference: Paired | Difference = getattr(comparison, measure)
    value = difference.difference if isinstance(difference, Paired) else difference.value
    if value is None or comparison.success.tasks == 0:
        return Finding(True, f"{measure}: nothing in common with {comparison.reference}")
    lies = "above" if difference.low >= -margin else "below"
    text = (
        f"{measure} against {comparison.reference}: {100 * value:+.1f} points "
        f"({100 * difference.low:+.1f} to {100 * difference.high:+.1f}), "
        f"lower end {lies} -{100 * margin:g}"
    )
    return Finding(difference.low < -margin, text)


def _value(condition: Condition, measures: Measures) -> float | None:
    name = condition.name
    if name in NUMBERS:
        number: float | None = getattr(measures, name)
        return number
    is_class = name in {kind.value for kind in ViolationClass}
    rate: Rate = measures.violations[ViolationClass(name)] if is_class else getattr(measures, name)
    if rate.value is None:
        return None
    return float(getattr(rate, condition.part))
