"""`tools`: what a model would be shown of somebody's tools."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tooldrill.cli.arguments import SOURCE_HELP

if TYPE_CHECKING:
    from tooldrill.agent.tool import Registry


_SHOWN_TOOLS = 5  # in a note


class Level(StrEnum):
    """How much of a tool is shown."""

    NAMES = "names"
    SIGNATURE = "signature"
    TYPED = "typed"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("tools")(tools)


def tools(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help=SOURCE_HELP,
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
    import shlex

    from tooldrill.agent.errors import TooldrillError
    from tooldrill.agent.signature import SignatureLevel, signatures
    from tooldrill.sources import load_registry

    if len(words) > 1:
        raise TooldrillError(
            f"one SOURCE is wanted, and {len(words)} words were given",
            f"quote it: tooldrill tools {shlex.quote(shlex.join(words))}",
        )
    registry = load_registry(words[0])
    if save is not None:
        registry.save(save)
    if as_json:
        typer.echo(json.dumps(registry.to_openai(), ensure_ascii=False, indent=1))
    else:
        typer.echo(signatures(registry, SignatureLevel(level.value)))
    _tell_untyped(registry)
    if save is not None:
        typer.echo(f"{len(registry)} tools written to {save}; use it as openai:{save}", err=True)


def _tell_untyped(registry: Registry) -> None:
    """Warns of parameters that accept anything: a wrong value for them is never found."""
    from tooldrill.agent.signature import untyped_parameters

    untyped = untyped_parameters(registry)
    if not untyped:
        return
    shown = [f"{tool}({', '.join(names)})" for tool, names in untyped.items()]
    more = f" and {len(shown) - _SHOWN_TOOLS} more tools" if len(shown) > _SHOWN_TOOLS else ""
    first = next(iter(untyped.values()))[0]
    typer.echo(
        "note: no type is known of these parameters, so any value is accepted: "
        f"{', '.join(shown[:_SHOWN_TOOLS])}{more}\n"
        f"next: give a type hint ({first}: str), or a default that has a type",
        err=True,
    )
