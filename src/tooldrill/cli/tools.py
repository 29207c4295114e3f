"""`tools`: what a model would be shown of somebody's tools."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Level(StrEnum):
    """How much of a tool is shown."""

    NAMES = "names"
    SIGNATURE = "signature"
    TYPED = "typed"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("tools")(tools)


def tools(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="python:MODULE_OR_FILE[:name,name], openai:FILE.json or world:NAME.",
            show_default=False,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the OpenAI tool list.")] = False,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Write a registry file.")
    ] = None,
    level: Annotated[Level, typer.Option("--level", help="How much is shown.")] = Level.SIGNATURE,
) -> None:
    """Print one signature line per tool of SOURCE, made from the code itself."""
    import json

    from tooldrill.agent.signature import SignatureLevel, signatures, untyped_parameters
    from tooldrill.sources import load_registry

    registry = load_registry(source)
    if save is not None:
        save.parent.mkdir(parents=True, exist_ok=True)
        registry.save(save)
    if as_json:
        typer.echo(json.dumps(registry.to_openai(), ensure_ascii=False, indent=1))
    else:
        typer.echo(signatures(registry, SignatureLevel(level.value)))
    for tool, names in untyped_parameters(registry).items():
        typer.echo(
            f"note: {tool}: no type is known of {', '.join(names)}, so any value is accepted\n"
            f"next: give a type hint ({names[0]}: str), or a default that has a type",
            err=True,
        )
    if save is not None:
        typer.echo(f"{len(registry)} tools written to {save}; use it as openai:{save}", err=True)
