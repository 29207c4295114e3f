"""`doctor`: whether this machine can do it, and what would help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("doctor")(doctor)


def doctor(
    runs: Annotated[Path, typer.Option("--runs", help="Where runs will be written.")] = Path(
        "runs"
    ),
) -> None:
    """Look at Python, packages, processor, memory, GPU, compilers, disk and the embedded model.

    Exit status: 0 when a run is possible, 1 when something is missing.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from tooldrill.doctor import Verdict, examine

    console = Console()
    colours = {Verdict.FINE: "green", Verdict.ADVICE: "yellow", Verdict.PROBLEM: "red"}
    table = Table.grid(padding=(0, 1))
    findings = list(examine(runs))
    for found in findings:
        mark = f"[{colours[found.verdict]}]{found.verdict}[/]"
        table.add_row(mark, f"[bold]{found.subject}[/]", escape(found.text))
        if found.next_step:
            table.add_row("", "", f"[cyan]next:[/] {escape(found.next_step)}")
    console.print(table)
    if any(found.verdict is Verdict.PROBLEM for found in findings):
        raise typer.Exit(1)
    console.print("ready: tooldrill run configs/demo.yaml")
