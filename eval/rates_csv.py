"""The rates of a report as CSV, a line per model and measure, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from tooldrill.eval.measure import Measures
from tooldrill.eval.statistics import Rate
from tooldrill.eval.table import RATE_COLUMNS

COLUMNS = ("model", "measure", "value", "low", "high", "count", "total", "effective", "impossible")
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rates_csv(measures: Sequence[Measures]) -> str:
    """Rates with 95% intervals, in shares of 1; `value` is empty where nothing was observed.

    A model's name that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in measures:
        for name in (*RATE_COLUMNS, "clean", "wrong_calls"):
            writer.writerow(_row(one, name, getattr(one, name), impossible=False))
        for kind, rate in one.violations.items():
            writer.writerow(_row(one, kind.value, rate, impossible=kind in one.impossible))
    return text.getvalue()


def _row(one: Measures, name: str, rate: Rate, *, impossible: bool) -> list[object]:
    model = "'" + one.name if one.name.startswith(_FORMULA) else one.name
    value = "" if rate.value is None else f"{rate.value:.6f}"
    ends = [f"{end:.6f}" for end in (rate.low, rate.high)]
    told = "yes" if impossible else ""
    return [model, name, value, *ends, rate.count, rate.total, f"{rate.effective:.2f}", told]
