"""`data validate`: nothing held out, and nothing of a benchmark, in the training data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tooldrill.cli.arguments import ConfigArgument, OverridesArgument, open_run

if TYPE_CHECKING:
    from tooldrill.data.sets.leaks import Forbidden, Leak

_SHOWN = 10  # of each kind


def validate(
    config: ConfigArgument,
    overrides: OverridesArgument = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            "--against",
            metavar="FILE.jsonl",
            help="Prompts and tools that must not occur either, a benchmark's say.",
        ),
    ] = None,
) -> None:
    """Prove that no held-out tool, parameter set or prompt is in the training data.

    With --against also: no tool name, set of parameters or run of 8 words of that file.
    Exit status: 0 nothing found, 1 something is shared.
    """
    from tooldrill.data.sets.leaks import heldout, read_forbidden
    from tooldrill.data.sets.reading import read_rows

    folder = open_run(config, overrides).stage_folder("data")
    files = [folder / "sft.jsonl"]
    files += [path for path in (folder / "dpo.jsonl",) if path.exists()]
    wanted = {"the held-out worlds": heldout()}
    wanted |= {str(path): read_forbidden(path) for path in against or ()}
    rows = [row for file in files for row in read_rows(file)]
    found = [_report(name, forbidden, rows) for name, forbidden in wanted.items()]
    if any(found):
        raise typer.Exit(1)


def _report(name: str, forbidden: Forbidden, rows: Sequence[dict[str, object]]) -> bool:
    from tooldrill.data.sets.leaks import count_by_kind, find_leaks

    leaks = list(find_leaks(rows, forbidden))
    held = f"{len(forbidden.tools)} tools, {len(forbidden.parameters)} parameter sets"
    if not leaks:
        typer.echo(f"{name}: nothing shared ({held}; {len(rows)} rows read)")
        return False
    counts = ", ".join(f"{count} x {kind}" for kind, count in count_by_kind(leaks).items())
    typer.echo(f"{name}: shared: {counts} ({held}; {len(rows)} rows read)")
    for leak in _first(leaks):
        typer.echo(f"  {leak.kind}: {leak.what}  (in {leak.row})")
    return True


def _first(leaks: Sequence[Leak]) -> list[Leak]:
    """Of each kind the first few that differ; rows of one registry share the same things."""
    shown: list[Leak] = []
    for kind in dict.fromkeys(leak.kind for leak in leaks):
        distinct = {leak.what: leak for leak in reversed(leaks) if leak.kind == kind}
        shown += list(distinct.values())[::-1][:_SHOWN]
    return shown
