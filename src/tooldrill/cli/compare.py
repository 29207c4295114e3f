"""`compare`: one results file against another, with an exit status for CI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from tooldrill.eval.comparison import Comparison
    from tooldrill.eval.requirement import Finding


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("compare")(compare)


def compare(
    first: Annotated[Path, typer.Argument(metavar="A.json", help="The model in question.")],
    second: Annotated[Path, typer.Argument(metavar="B.json", help="What it is compared with.")],
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            metavar="CONDITION",
            help="Exit 1 where A is so, such as 'discipline < 0.98' or 'unknown_tool.high > 1%'; "
            "may be repeated.",
        ),
    ] = None,
    no_worse_than: Annotated[
        Path | None,
        typer.Option(
            "--no-worse-than",
            metavar="FILE.json",
            help="Exit 1 unless A is shown to be no worse than this by more than the margin.",
        ),
    ] = None,
    margin: Annotated[
        float, typer.Option("--margin", min=0, max=1, help="Share that A may be worse by.")
    ] = 0.02,
    on: Annotated[
        str, typer.Option("--on", help="What --no-worse-than looks at: discipline, success, clean.")
    ] = "discipline",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare two results files, task by task; differences are A minus B.

    Exit status: 0; 1 where a condition failed; 2 where the files or conditions cannot be read.
    """
    from rich.console import Console

    from tooldrill.agent.errors import TooldrillError
    from tooldrill.eval.comparison import compare as compare_results
    from tooldrill.eval.measure import measure
    from tooldrill.eval.requirement import COMPARED, check, no_worse, read_condition
    from tooldrill.eval.results import Results

    if on not in COMPARED:
        raise TooldrillError(f"--on {on}: no such measure", f"name one of {', '.join(COMPARED)}")
    if first.resolve() == second.resolve():
        raise TooldrillError(f"{first} is compared with itself", "name two results files")
    conditions = [read_condition(text) for text in fail_if or ()]
    ours, theirs = Results.load(first), Results.load(second)
    comparison = compare_results(ours, theirs)
    findings = [check(condition, measure(ours)) for condition in conditions]
    if no_worse_than is not None:
        findings.append(no_worse(compare_results(ours, Results.load(no_worse_than)), margin, on))
    if as_json:
        typer.echo(json.dumps(_as_json(comparison, findings), indent=1))
    else:
        _print(Console(highlight=False, soft_wrap=True), comparison, findings)
    if any(finding.failed for finding in findings):
        raise typer.Exit(1)


def _print(console: Console, comparison: Comparison, findings: list[Finding]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from tooldrill.eval import table

    title = f"{comparison.name} minus {comparison.reference}, {comparison.success.tasks} tasks"
    shown = Table(title=escape(title), title_justify="left", title_style="bold")
    shown.add_column("")
    for heading in ("difference", "95% interval", "test"):
        shown.add_column(heading, justify="right")
    for row in table.comparison_rows(comparison):
        shown.add_row(*row)
    console.print(shown)
    note = table.comparison_note(comparison)
    if note:
        console.print(escape(note))
    for finding in findings:
        console.print(escape(f"{'FAILED' if finding.failed else 'ok'}  {finding.text}"))


def _as_json(comparison: Comparison, findings: list[Finding]) -> dict[str, Any]:
    from dataclasses import asdict

    told = asdict(comparison)
    told["classes"] = {kind.value: asdict(test) for kind, test in comparison.classes.items()}
    told["requirements"] = [asdict(finding) for finding in findings]
    told["failed"] = any(finding.failed for finding in findings)
    return told
