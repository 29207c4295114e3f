"""The floor as a drawing: which models pass, what they take, and what the others fail on.

One HTML file that opens offline. The numbers are `floor`'s.
"""

from __future__ import annotations

import html

from plotly.subplots import make_subplots

from tooldrill.eval.floor import Answer, Candidate, Floor

# Told apart by symbol as well as by colour (Okabe and Ito's palette for colour blindness).
_LOOKS = {
    Answer.PASSES: ("circle", "#0072B2"),
    Answer.OPEN: ("diamond-open", "#B8860B"),
    Answer.FAILS: ("x", "#D55E00"),
}
_AXES = ("file, MB", "peak memory, MB", "tokens per second", "steps per task")


def floor_page(floor: Floor, verdict: str) -> str:
    """The page: a row for each model, a panel for each axis; what a model fails on stands by it."""
    figure = make_subplots(
        rows=1, cols=len(_AXES), shared_yaxes=True, horizontal_spacing=0.02, subplot_titles=_AXES
    )
    labels = {one.name: _label(one) for one in floor.candidates}
    for answer, (symbol, colour) in _LOOKS.items():
        those = [one for one in floor.candidates if one.answer is answer]
        for column in range(len(_AXES)):
            figure.add_scatter(
                x=[_values(one)[column] for one in those],
                y=[labels[one.name] for one in those],
                mode="markers",
                marker={"symbol": symbol, "color": colour, "size": 13},
                name=answer.value,
                legendgroup=answer.value,
                showlegend=column == 0 and bool(those),
                text=[_reasons(one) for one in those],
                hovertemplate="%{x}<br>%{text}<extra></extra>",
                row=1,
                col=column + 1,
            )
    # A model without a value on some axis still has its row.
    figure.update_yaxes(
        categoryorder="array", categoryarray=list(labels.values())[::-1], automargin=True
    )
    figure.update_xaxes(rangemode="tozero")
    figure.update_layout(
        template="plotly_white",
        title={"text": html.escape(verdict)},
        height=220 + 70 * len(labels),
        legend={"orientation": "h", "y": -0.15},
    )
    page: str = figure.to_html(include_plotlyjs=True, full_html=True)
    return page


def _values(one: Candidate) -> tuple[float | None, ...]:
    size = None if one.size is None else one.size / 1e6
    memory = None if one.memory is None else one.memory / 1e6
    return size, memory, one.tokens_per_second, one.steps


def _label(one: Candidate) -> str:
    """The model's name, and under it what stands in its way."""
    lines = [html.escape(one.name)]
    for answer in (Answer.FAILS, Answer.OPEN):
        subjects = [reason.subject for reason in one.reasons if reason.answer is answer]
        if subjects:
            shown = ", ".join(subjects[:3]) + (
                f" and {len(subjects) - 3} more" * (len(subjects) > 3)
            )
            lines.append(f"<i>{answer.value}: {shown}</i>")
    return "<br>".join(lines)


def _reasons(one: Candidate) -> str:
    return "<br>".join(
        html.escape(f"{reason.subject} {reason.answer.value}: {reason.text}")
        for reason in one.reasons
        if reason.answer is not Answer.PASSES
    )
