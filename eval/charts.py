"""The report's charts, as Plotly figures in JSON.

Colours are left out: `templates/report.js` takes them from the page's style sheet, so that the
charts follow the light and the dark theme. Series differ by symbol or pattern as well as by colour.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from tooldrill.agent.violation import ViolationClass
from tooldrill.eval.measure import Measures
from tooldrill.eval.statistics import Rate
from tooldrill.eval.table import RATE_COLUMNS, RATE_TITLES

Curves = Mapping[str, Sequence[Mapping[str, Any]]]

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x", "star")
_PATTERNS = ("", "/", ".", "x", "-", "\\", "+")


def charts(
    measures: Sequence[Measures],
    curves: Curves | None,
    further: Mapping[str, go.Figure] | None = None,
) -> dict[str, Any]:
    """Figures by the id of the element they are drawn in; empty ones are left out.

    Args:
        further: figures that others made, by element.
    """
    figures = {"chart-rates": _rates(measures), "chart-violations": _violations(measures)}
    figures |= further or {}
    for stage, points in (curves or {}).items():
        figures[curve_id(stage)] = _curve(points)
    return {name: json.loads(figure.to_json()) for name, figure in figures.items() if figure.data}


def curve_id(stage: str) -> str:
    """The element a stage's loss curve is drawn in."""
    return "chart-curve-" + "".join(c if c.isalnum() else "-" for c in stage.lower())


def _rates(measures: Sequence[Measures]) -> go.Figure:
    """Each rate as a point with its interval, a row per rate and a symbol per model."""
    figure = go.Figure()
    for index, one in enumerate(measures):
        known = {c: rate for c in RATE_COLUMNS if (rate := _rate(one, c)).value is not None}
        if not known:
            continue
        # Rows are numbers, so that the models of one rate can stand below each other.
        shift = (index - (len(measures) - 1) / 2) * 0.6 / max(1, len(measures))
        figure.add_scatter(
            x=[100 * (rate.value or 0.0) for rate in known.values()],
            y=[RATE_COLUMNS.index(column) + shift for column in known],
            name=html.escape(one.name),
            mode="markers",
            marker={"symbol": SYMBOLS[index % len(SYMBOLS)], "size": 11},
            error_x=bars(list(known.values())),
            customdata=[hover(RATE_TITLES[c], rate) for c, rate in known.items()],
            hovertemplate="%{customdata}<extra>%{fullData.name}</extra>",
            meta={"series": index},
        )
    figure.update_yaxes(
        tickvals=list(range(len(RATE_COLUMNS))),
        ticktext=[RATE_TITLES[column] for column in RATE_COLUMNS],
        range=[len(RATE_COLUMNS) - 0.5, -0.5],
        zeroline=False,
    )
    figure.update_xaxes(range=[-2, 102], ticksuffix="%", zeroline=False)
    return plain(figure, height=120 + 62 * len(RATE_COLUMNS))


def _violations(measures: Sequence[Measures]) -> go.Figure:
    """Share of replies by class, for the classes that were seen."""
    seen = [k for k in ViolationClass if any(one.violations[k].count for one in measures)]
    figure = go.Figure()
    for index, one in enumerate(measures if seen else []):
        rates = [one.violations[kind] for kind in seen]
        figure.add_bar(
            y=[kind.value for kind in seen],
            x=[100 * (rate.value or 0.0) for rate in rates],
            name=html.escape(one.name),
            orientation="h",
            marker={"pattern": {"shape": _PATTERNS[index % len(_PATTERNS)], "solidity": 0.25}},
            error_x=bars(rates, zero=False),
            customdata=[hover(kind.value, one.violations[kind]) for kind in seen],
            hovertemplate="%{customdata}<extra>%{fullData.name}</extra>",
            meta={"series": index},
        )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(
        ticksuffix="%",
        rangemode="tozero",
        automargin=True,
        title={"text": "share of replies", "standoff": 10},
    )
    return plain(figure, height=130 + 22 * len(seen) * (len(measures) + 1), barmode="group")


def _curve(points: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Loss over steps, and the evaluation's loss where there is one."""
    figure = go.Figure()
    for index, (key, title) in enumerate((("loss", "loss"), ("eval_loss", "loss on held-out"))):
        known = [(p["step"], p[key]) for p in points if p.get(key) is not None and "step" in p]
        if known:
            figure.add_scatter(
                x=[step for step, _ in known],
                y=[loss for _, loss in known],
                name=title,
                mode="lines+markers" if len(known) < 60 else "lines",
                marker={"symbol": SYMBOLS[index], "size": 5},
                meta={"series": 2 - index},
            )
    figure.update_xaxes(title={"text": "step", "standoff": 10}, zeroline=False, automargin=True)
    figure.update_yaxes(title={"text": "loss", "standoff": 10}, rangemode="tozero")
    return plain(figure, height=300)


def _rate(one: Measures, column: str) -> Rate:
    rate: Rate = getattr(one, column)
    return rate


def bars(rates: Sequence[Rate], *, zero: bool = True) -> dict[str, Any]:
    """Error bars; with `zero` False a rate of 0 has none (a bar that is not there needs none)."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [
            100 * (rate.high - (rate.value or 0.0)) if rate.count or zero else 0.0 for rate in rates
        ],
        "arrayminus": [100 * ((rate.value or 0.0) - rate.low) for rate in rates],
        "thickness": 1.5,
        "width": 4,
    }


def hover(title: str, rate: Rate) -> str:
    """What is told of a point: its rate with interval and counts."""
    share = 100 * (rate.value or 0.0)
    return (
        f"{title}: {share:.1f}% ({100 * rate.low:.1f}-{100 * rate.high:.1f}), "
        f"{rate.count} of {rate.total}"
    )


def plain(figure: go.Figure, *, height: int, **layout: Any) -> go.Figure:
    """The figure with the page's layout, of so many pixels."""
    # Plotly's default template carries some 7 kB of colours that the page would override anyway.
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 40},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        **layout,
    )
    figure.update_yaxes(automargin=True)
    return figure
