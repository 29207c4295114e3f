"""All commands in the order of a user's work. Each lives in the module of its subject.

Command modules import nothing heavy at the top: `tooldrill --help` reads all of them.
"""

from __future__ import annotations

from typing import Annotated

import typer

from tooldrill import __version__
from tooldrill.cli.agent import register as register_agent
from tooldrill.cli.check import register as register_check
from tooldrill.cli.compare import register as register_compare
from tooldrill.cli.data import register as register_data
from tooldrill.cli.doctor import register as register_doctor
from tooldrill.cli.evaluation import register as register_evaluation
from tooldrill.cli.floor import register as register_floor
from tooldrill.cli.report import register as register_report
from tooldrill.cli.run import register as register_run
from tooldrill.cli.serve_check import register as register_serve_check
from tooldrill.cli.stages import register as register_stages
from tooldrill.cli.tools import register as register_tools

app = typer.Typer(
    help="Drills tool-call discipline into small models: data, LoRA, GGUF, loop, report.",
    epilog="Start with: tooldrill doctor, then tooldrill run configs/demo.yaml",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tooldrill {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show and exit.")
    ] = False,
) -> None:
    """Options of the command as a whole."""


for register in (
    register_run,
    register_doctor,
    register_tools,
    register_check,
    register_data,
    register_stages,
    register_serve_check,
    register_evaluation,
    register_compare,
    register_floor,
    register_report,
    register_agent,
):
    register(app)
