"""`data build|preview|stats|ingest|teach|failures`: training data, made, taken over, looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tooldrill.cli.arguments import ConfigArgument, ForceOption, OverridesArgument, open_run
from tooldrill.cli.check import ProtocolChoice
from tooldrill.cli.data_validate import validate
from tooldrill.cli.other_data import register as register_other
from tooldrill.cli.stages import run_stage


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    data = typer.Typer(help="Make the training data and look at it.", no_args_is_help=True)
    data.command("build")(build)
    data.command("preview")(preview)
    data.command("stats")(stats)
    data.command("validate")(validate)
    register_other(data)
    app.add_typer(data, name="data")


def build(
    config: ConfigArgument, overrides: OverridesArgument = None, force: ForceOption = False
) -> None:
    """Generate traces, execute them, corrupt them into pairs, write the data sets."""
    run_stage("data", config, overrides, force)


def preview(
    config: ConfigArgument,
    overrides: OverridesArgument = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Examples shown.")] = 3,
    pairs: Annotated[bool, typer.Option("--pairs", help="Preference pairs, not traces.")] = False,
    trace_id: Annotated[
        str | None,
        typer.Option("--id", metavar="TRACE_ID", help="Only this trace, or an error's example."),
    ] = None,
    protocol: Annotated[
        ProtocolChoice | None,
        typer.Option("--protocol", help="Default: those that training uses."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page instead.")
    ] = None,
) -> None:
    """Show examples as the model sees them: learned tokens coloured, the rest dim."""
    from tooldrill.cli.preview import show_examples

    show_examples(
        open_run(config, overrides),
        count,
        pairs=pairs,
        wanted=trace_id,
        html=html,
        protocol=protocol.value if protocol else None,
    )


def stats(config: ConfigArgument, overrides: OverridesArgument = None) -> None:
    """Count traces, pairs, worlds, sources and corruption classes."""
    from tooldrill.cli.preview import show_statistics

    show_statistics(open_run(config, overrides))
