"""`check`: the discipline checker as a filter over JSON lines."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from tooldrill.cli.arguments import ToolsOption

if TYPE_CHECKING:
    from tooldrill.check_lines import Tally


class ProtocolChoice(StrEnum):
    """How a raw reply is read."""

    NATIVE = "native"
    REACT_JSON = "react_json"


ProtocolOption = Annotated[
    ProtocolChoice, typer.Option("--protocol", help="How raw replies are read.")
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("check")(check)


def check(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="JSON lines, or - for standard input.")
    ],
    tools: ToolsOption,
    protocol: ProtocolOption = ProtocolChoice.NATIVE,
    dialect: Annotated[
        str,
        typer.Option(
            "--dialect",
            help="How native calls are written: hermes, tagged, pythonic, json_list, named_json, "
            "bare_json.",
        ),
    ] = "hermes",
) -> None:
    """Check replies or calls against the tools: one JSON verdict a line.

    A line is {"id", "reply": "raw text"} or {"id", "calls": [{"name", "arguments"}]}, optionally
    with "history": [{"name", "arguments", "error", "rejected_arguments"}].

    Exit status: 0 no violation, 1 some, 2 lines that could not be read.
    """
    from tooldrill.check_lines import Tally, check_lines, dump
    from tooldrill.sources import load_registry

    registry = load_registry(tools)
    tally = Tally()
    with _lines(file) as lines:
        for verdict in check_lines(lines, registry, protocol.value, tally, dialect):
            sys.stdout.write(dump(verdict) + "\n")
    sys.stdout.flush()
    _summary(tally)
    if tally.problems:
        raise typer.Exit(2)
    if tally.flagged:
        raise typer.Exit(1)


@contextmanager
def _lines(file: str) -> Iterator[TextIO]:
    from tooldrill.agent.errors import TooldrillError

    if file == "-":
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8-sig", errors="surrogateescape")
        yield sys.stdin
        return
    path = Path(file)
    if not path.is_file():
        raise TooldrillError(
            f"no file at {path}", "give a JSON-lines file, or - for standard input"
        )
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as opened:
        yield opened


def _summary(tally: Tally) -> None:
    for problem in tally.problems:
        typer.echo(f"error: {problem}", err=True)
    if tally.problems:
        typer.echo(
            'next:  write {"id", "reply"} or {"id", "calls": [{"name", "arguments"}]} a line',
            err=True,
        )
    classes = ", ".join(f"{name} {count}" for name, count in tally.violations.most_common())
    typer.echo(
        f"{tally.lines} checked, {tally.clean} clean" + (f"; {classes}" if classes else ""),
        err=True,
    )
