"""`floor`: the smallest of several models that is good enough."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tooldrill.cli.arguments import ForceOption

if TYPE_CHECKING:
    from tooldrill.agent.violation import ViolationClass
    from tooldrill.eval.floor import Candidate, Floor


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("floor")(floor)


def floor(
    results: Annotated[
        list[Path], typer.Argument(metavar="FILE.json...", help="Results files, one per model.")
    ],
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE.json", help="The model to be no worse than."),
    ] = None,
    budget: Annotated[
        list[str] | None,
        typer.Option(
            "--budget",
            metavar="CLASS=SHARE",
            help="Share of replies that a class may reach at most, such as unknown_tool=1%; may be "
            "repeated. CLASS=off leaves a class out.",
        ),
    ] = None,
    margin: Annotated[
        float,
        typer.Option("--margin", min=0, max=1, help="Share of tasks it may solve less often."),
    ] = 0.05,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.html", help="Draw it, too.")
    ] = None,
    force: ForceOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find the smallest model whose violations stay under budget and that is not inferior.

    Exit status: 0 where there is one; 1 where there is none, or too little evidence.
    """
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.eval.floor import find_floor
    from tooldrill.eval.results import Results

    if plot is not None and plot.exists() and not force:
        raise TooldrillError(f"{plot} is there already", "add --force, or name another file")
    twice = next((path for i, path in enumerate(results) if path in results[:i]), None)
    if twice is not None:
        raise TooldrillError(f"{twice} is named twice", "name every results file once")
    found = find_floor(
        [Results.load(path) for path in results],
        Results.load(baseline) if baseline is not None else None,
        _budgets(budget or []),
        margin,
    )
    if plot is not None:
        _draw(found, plot)
    if as_json:
        typer.echo(json.dumps(_as_json(found), indent=1))
    else:
        _print(found)
    if found.smallest is None:
        raise typer.Exit(1)


def _budgets(given: list[str]) -> dict[ViolationClass, float]:
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.agent.names import nearest
    from tooldrill.agent.violation import ViolationClass
    from tooldrill.eval.floor import BUDGETS

    budgets = dict(BUDGETS)
    classes = [kind.value for kind in ViolationClass]
    for text in given:
        name, _, share = (part.strip() for part in text.partition("="))
        if name not in classes:
            close = nearest(name, classes)
            step = f"did you mean {close}?" if close else f"name one of {', '.join(classes)}"
            raise TooldrillError(f"--budget {text}: no violation class named {name!r}", step)
        if share == "off":
            budgets.pop(ViolationClass(name), None)
            continue
        try:
            value = float(share.removesuffix("%")) / (100 if share.endswith("%") else 1)
        except ValueError:
            value = -1.0
        if not 0 < value < 1:
            raise TooldrillError(
                f"--budget {text}: not a share above 0 and below 1",
                f"write {name}=0.02, {name}=2% or {name}=off",
            )
        budgets[ViolationClass(name)] = value
    if not budgets:
        raise TooldrillError("no class has a budget", "leave one --budget CLASS=off out")
    return budgets


def _print(found: Floor) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from tooldrill.eval.floor import Answer
    from tooldrill.eval.table import mean_text

    console = Console(highlight=False, soft_wrap=True)
    shown = Table(title="By size", title_justify="left", title_style="bold")
    for heading in ("model", "MB", "memory, MB", "tokens/s", "steps per task", "answer"):
        shown.add_column(heading, justify="left" if heading in ("model", "answer") else "right")
    for one in found.candidates:
        size, memory = _megabytes(one.size), _megabytes(one.memory)
        speed, steps = mean_text(one.tokens_per_second, 1), mean_text(one.steps, 1)
        shown.add_row(escape(one.name), size, memory, speed, steps, one.answer.value)
    console.print(shown)
    for one in found.candidates:
        for reason in one.reasons:
            if reason.answer is not Answer.PASSES:
                line = f"{one.name}: {reason.subject} {reason.answer.value}: {reason.text}"
                console.print(escape(line))
    console.print(escape(_verdict(found)))


def _megabytes(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e6:.0f}"


def _draw(found: Floor, out: Path) -> None:
    from tooldrill.agent.atomic import write_text
    from tooldrill.eval.floor_plot import floor_page

    write_text(out, floor_page(found, _verdict(found)))
    typer.echo(f"plot    {out}", err=True)


def _verdict(found: Floor) -> str:
    from tooldrill.eval.floor import Answer

    told = (
        f"no worse than {found.baseline} by more than {100 * found.margin:g} points"
        if found.baseline is not None
        else "the baseline was not run, and none was compared with"
    )
    if found.smallest is not None:
        return f"The smallest that passes: {found.smallest.name} ({told})."
    if any(one.answer is Answer.OPEN for one in found.candidates):
        return f"None is shown to pass; where it says so, more tasks could tell ({told})."
    return f"None passes ({told})."


def _as_json(found: Floor) -> dict[str, object]:
    return {
        "smallest": found.smallest.name if found.smallest else None,
        "baseline": found.baseline,
        "margin": found.margin,
        "budgets": {kind.value: share for kind, share in found.budgets.items()},
        "models": [_model(one) for one in found.candidates],
    }


def _model(one: Candidate) -> dict[str, object]:
    return {
        "name": one.name,
        "size": one.size,
        "memory": one.memory,
        "tokens_per_second": one.tokens_per_second,
        "steps": one.steps,
        "answer": one.answer.value,
        "reasons": [
            {"subject": r.subject, "answer": r.answer.value, "text": r.text} for r in one.reasons
        ],
    }
