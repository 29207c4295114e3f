"""`doctor`: whether this machine can do it, and what would help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tooldrill.cli.arguments import OverridesArgument


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("doctor")(doctor)


def doctor(
    config: Annotated[
        Path | None,
        typer.Argument(metavar="CONFIG", help="What training would choose for it, and why."),
    ] = None,
    overrides: OverridesArgument = None,
    runs: Annotated[
        Path | None,
        typer.Option("--runs", help="Where runs will be written.", show_default="the config's"),
    ] = None,
) -> None:
    """Look at Python, packages, processor, memory, GPU, compilers, disk and the embedded model.

    Then at what training would ask of this machine, with the reasons; `training.hardware`
    overrides each. Exit status: 0 when a run is possible, 1 when something is missing.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from tooldrill.config import RunConfig, load_config
    from tooldrill.doctor import Verdict, examine, training_choices

    chosen = load_config(config, overrides or ()) if config else RunConfig(name="doctor")
    console = Console()
    colours = {Verdict.FINE: "green", Verdict.ADVICE: "yellow", Verdict.PROBLEM: "red"}
    table = Table.grid(padding=(0, 1))
    findings = [*examine(runs or Path(chosen.runs)), *training_choices(chosen)]
    for found in findings:
        mark = f"[{colours[found.verdict]}]{found.verdict}[/]"
        table.add_row(mark, f"[bold]{found.subject}[/]", escape(found.text))
        if found.next_step:
            table.add_row("", "", f"[cyan]next:[/] {escape(found.next_step)}")
    console.print(table)
    if any(found.verdict is Verdict.PROBLEM for found in findings):
        raise typer.Exit(1)
    console.print(f"ready: tooldrill run {config or 'configs/demo.yaml'}")
