"""Arguments that several commands share, so that each is spelled and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from tooldrill.pipeline import Run

SOURCE_HELP = (
    "files, python:MODULE_OR_FILE[:name,name], skills:DIR, openai:FILE.json, "
    "'mcp:COMMAND ARGS', mcp:http://HOST:PORT/mcp or world:NAME."
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
EndpointOption = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        metavar="URL",
        help="A server with the OpenAI API, http://HOST:PORT/v1; --model then names its model.",
    ),
]
ServerOption = Annotated[
    list[str] | None,
    typer.Option(
        "--server",
        metavar="KEY=VALUE",
        help="How --endpoint is asked, as eval.endpoint in a config: timeout=60, calls=server, "
        "api_key_env=MY_KEY; may be repeated.",
        show_default=False,
    ),
]
ApiKeyOption = Annotated[
    str | None,
    typer.Option("--api-key", envvar="TOOLDRILL_API_KEY", help="The endpoint's key."),
]
AdapterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--adapter",
        metavar="FILE.gguf[:SCALE]",
        help="A LoRA adapter on --model, not merged; may be repeated.",
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
