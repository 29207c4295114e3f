"""Writes the report: one HTML file that opens offline from disk, and the same tables in Markdown.

Numbers come from `measure`, words from `verdict` and `table`, drawings from `charts`, episodes from
`browser`; here they are put together. Model output is untrusted: templates escape everything, data
goes in as inert JSON, and the page's content security policy lets only our own scripts run.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from tooldrill.agent.atomic import write_text
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.violation import ViolationClass
from tooldrill.eval import table
from tooldrill.eval.baits_taken import bait_rows
from tooldrill.eval.borrowing import borrowings
from tooldrill.eval.browser import embed, episode_views
from tooldrill.eval.charts import Curves, charts, curve_id
from tooldrill.eval.comparison import compare
from tooldrill.eval.conditions import condition_rows
from tooldrill.eval.measure import Measures, measure
from tooldrill.eval.pass_hat import repeated
from tooldrill.eval.quantization_chart import quantization_chart
from tooldrill.eval.rates_csv import rates_csv
from tooldrill.eval.results import Results
from tooldrill.eval.slices import slice_rows
from tooldrill.eval.statistics import CONFIDENCE
from tooldrill.eval.verdict import verdict

Facts = Mapping[str, Sequence[Mapping[str, Any]]]
"""Further tables by title: rows of plain values, all with the same keys (data, export...)."""


@dataclass(frozen=True)
class ReportPaths:
    """Where the report was written."""

    html: Path
    markdown: Path
    csv: Path


@dataclass(frozen=True)
class _Model:
    """One column of the report."""

    results: Results
    measures: Measures
    row: table.SummaryRow
    baseline: bool


def write_report(
    results: Sequence[Results],
    out: Path,
    curves: Curves | None = None,
    *,
    title: str = "tooldrill report",
    notes: Sequence[str] = (),
    baselines: Sequence[Results] = (),
    conditions: Sequence[Results] = (),
    facts: Facts | None = None,
) -> ReportPaths:
    """Writes `report.html`, `report.md` and `report.csv` into the folder `out`.

    Args:
        results: the run's models; the first is the reference (the base model), the last is the
            end product that the verdict speaks of.
        curves: for each training stage its log: dictionaries with `step`, `loss`, `eval_loss`...
        notes: sentences shown under the verdict.
        baselines: models to compare with; none is said as such in the report.
        conditions: the same models under other conditions (`Results.cell`).
        facts: further tables (data statistics, export and quantization).
        out: a folder, or a name that ends in .html; the others then stand beside it.

    Raises:
        TooldrillError: when there are no results.
    """
    if not results:
        raise TooldrillError("no results to report", "run an evaluation first: tooldrill eval")
    context = _context(
        results,
        baselines,
        conditions,
        curves=curves,
        title=title,
        notes=notes,
        facts=facts,
    )
    page = out if out.suffix == ".html" else out / "report.html"
    paths = ReportPaths(page, page.with_suffix(".md"), page.with_suffix(".csv"))
    write_text(paths.html, _environment(escape=True).get_template("report.html").render(context))
    write_text(paths.markdown, _environment(escape=False).get_template("report.md").render(context))
    write_text(paths.csv, rates_csv([model.measures for model in context["models"]]))
    return paths


def _context(
    results: Sequence[Results],
    baselines: Sequence[Results],
    conditions: Sequence[Results],
    *,
    curves: Curves | None,
    title: str,
    notes: Sequence[str],
    facts: Facts | None,
) -> dict[str, Any]:
    models = [_model(one, baseline=False) for one in results]
    models += [_model(one, baseline=True) for one in baselines]
    measures = [model.measures for model in models]
    comparisons = [compare(model.results, results[0]) for model in models[1:]]
    chart = quantization_chart(results, conditions)
    own = measures[: len(results)]
    by_size = {"chart-quantization": chart} if chart.data else {}
    final = comparisons[len(results) - 2] if len(results) > 1 else None
    return {
        "title": title,
        "notes": list(notes),
        "verdict": [*verdict(own, final), *_against_baselines(results, baselines)],
        "models": models,
        "baselines": [model for model in models if model.baseline],
        "comparisons": comparisons,
        "class_rows": table.class_rows(measures, seen_only=True),
        "unseen": _unseen(measures),
        "condition_rows": condition_rows([*results, *baselines], conditions),
        "slice_rows": slice_rows([model.results for model in models]),
        "bait_rows": bait_rows([model.results for model in models]),
        "recovery_rows": table.recovery_rows([model.results for model in models]),
        "after_rows": table.after_rows([model.results for model in models]),
        "repeated": repeated([model.results for model in models]),
        "borrowings": borrowings([model.results for model in models]),
        "watched": any(m.results.condition.loop.watchdog.enabled for m in models),
        "hint_rows": table.hint_rows(measures),
        "curves": {stage: curve_id(stage) for stage in curves or {}},
        "facts": facts or {},
        "worlds": sorted({world for model in models for world in model.results.suite.worlds}),
        "classes": [kind.value for kind in ViolationClass],
        "confidence": f"{100 * CONFIDENCE:.0f}%",
        "table": table,
        "figures": Markup(embed(charts(measures, curves, by_size))),
        "by_size": by_size,
        "episodes": Markup(embed(_episodes(models))),
        "style": Markup(_text("report.css")),
        "script": Markup(_text("report.js")),
        "plotly": Markup(get_plotlyjs()),
        "policy": _policy(),
    }


def _model(results: Results, *, baseline: bool) -> _Model:
    measures = measure(results)
    return _Model(results, measures, table.summary_row(results, measures), baseline)


def _episodes(models: Sequence[_Model]) -> dict[str, Any]:
    all_results = [model.results for model in models]
    return {
        "models": [one.model.name for one in all_results],
        "episodes": episode_views(all_results),
    }


def _against_baselines(results: Sequence[Results], baselines: Sequence[Results]) -> list[str]:
    final = results[-1]
    return [
        f"Against the baseline {one.model.name}, tasks solved: "
        f"{table.paired_text(compare(final, one).success)}."
        for one in baselines
    ]


def _unseen(measures: Sequence[Measures]) -> list[str]:
    """Classes that no model was caught in, though each could have been."""
    shown = {row.kind for row in table.class_rows(measures, seen_only=True)}
    return [kind.value for kind in ViolationClass if kind not in shown]


def _policy() -> str:
    """Only the page's own two scripts run, by their hashes; nothing is loaded from anywhere."""
    hashes = " ".join(_script_hash(text) for text in (get_plotlyjs(), _text("report.js")))
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _script_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _text(name: str) -> str:
    return (files("tooldrill.eval") / "templates" / name).read_text("utf-8")


def _environment(*, escape: bool) -> Environment:
    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _markdown_cell
    return environment


def _markdown_cell(value: object) -> str:
    """Text that is only text in a Markdown table: one line, no markup of its own."""
    text = html.escape(" ".join(str(value).split()), quote=False)
    for character in "\\`*[]|":
        text = text.replace(character, f"\\{character}")
    return text
