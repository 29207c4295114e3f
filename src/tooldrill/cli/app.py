"""All commands in the order of a user's work. Each lives in the module of its subject.

Command modules import nothing heavy at the top: `tooldrill --help` reads all of them.
"""

from __future__ import annotations

from typing import Annotated

import typer

from tooldrill import __version__
from tooldrill.cli import agent, check, data, doctor, evaluation, run, stages, tools

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


for module in (run, doctor, tools, check, data, stages, evaluation, agent):
    module.register(app)
