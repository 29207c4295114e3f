"""Quantization against class: which classes of violation come back as a model gets smaller."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from tooldrill.agent.violation import ViolationClass
from tooldrill.eval.charts import SYMBOLS, bars, hover, plain
from tooldrill.eval.measure import Measures, measure
from tooldrill.eval.results import Results

AXIS = "quantization="


def quantization_chart(base: Sequence[Results], conditions: Sequence[Results]) -> go.Figure:
    """A line for each class that was seen, over the file's size; empty without other quantizations.

    Args:
        base: of each model; the last that was run in other quantizations is drawn.
        conditions: the models under other conditions, those that differ by quantization among them.
    """
    figure = go.Figure()
    files = _files(base, conditions)
    if len(files) < 2:
        return figure
    points: list[tuple[str, Measures]] = [
        (f"{one.model.quantization or '?'}<br>{(one.model.size or 0) / 1e6:.0f} MB", measure(one))
        for one in files
    ]
    seen = [k for k in ViolationClass if any(m.violations[k].count for _, m in points)]
    for index, kind in enumerate(seen):
        rates = [m.violations[kind] for _, m in points]
        figure.add_scatter(
            x=[label for label, _ in points],
            y=[100 * (rate.value or 0.0) for rate in rates],
            name=kind.value,
            mode="lines+markers",
            marker={"symbol": SYMBOLS[index % len(SYMBOLS)], "size": 9},
            error_y=bars(rates, zero=False),
            customdata=[hover(kind.value, rate) for rate in rates],
            hovertemplate="%{customdata}<extra>%{x}</extra>",
            meta={"series": index},
        )
    figure.update_yaxes(ticksuffix="%", rangemode="tozero", title={"text": "share of replies"})
    return plain(figure, height=420)


def _files(base: Sequence[Results], conditions: Sequence[Results]) -> list[Results]:
    """One model in all of its quantizations, the largest file first."""
    for model in reversed(base):
        others = [
            one
            for one in conditions
            if one.model.name == model.model.name
            and one.cell.startswith(AXIS)
            and ", " not in one.cell
            and one.suite.sha256 == model.suite.sha256
        ]
        if others:
            return sorted([model, *others], key=lambda one: -(one.model.size or 0))
    return []
