"""Arguments that several commands share, so that each is spelled and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from tooldrill.pipeline import Run

SOURCE_HELP = (
    "files, python:MODULE_OR_FILE[:name,name], skills:DIR, openai:FILE.json, "
    "'mcp:COMMAND ARGS' or world:NAME."
)
ConfigArgument = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="The run's YAML file.", show_default=False)
]
OverridesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE",
        help="Overrides, such as training.sft.learning_rate=1e-4.",
        show_default=False,
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Begin afresh even if up to date.")]
ConstrainOption = Annotated[
    Literal["off", "call", "full"] | None,
    typer.Option(
        "--constrain",
        help="Hold replies to a grammar of the tools: calls once they begin, or in full.",
        show_default=False,
    ),
]
ToolsOption = Annotated[
    str,
    typer.Option(
        "--tools",
        metavar="SOURCE",
        help=SOURCE_HELP,
    ),
]


def open_run(config: Path, overrides: list[str] | None) -> Run:
    """The run that a config file and its overrides describe."""
    from tooldrill.config import load_config
    from tooldrill.pipeline import Run

    return Run(load_config(config, overrides or ()), config, tuple(overrides or ()))
