"""`run`, `validate` and `schema`: a config as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tooldrill.cli.arguments import ConfigArgument, ForceOption, OverridesArgument, open_run

if TYPE_CHECKING:
    from tooldrill.pipeline import Run, Stage


class StageName(StrEnum):
    """The stages, in the order they run."""

    DATA = "data"
    SFT = "sft"
    DPO = "dpo"
    ROUNDS = "rounds"
    EXPORT = "export"
    EVAL = "eval"
    REPORT = "report"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("run")(run)
    app.command("validate")(validate)
    app.command("schema")(schema)


def run(
    config: ConfigArgument,
    overrides: OverridesArgument = None,
    first: Annotated[
        StageName | None, typer.Option("--from", help="First stage; earlier ones must be there.")
    ] = None,
    last: Annotated[StageName | None, typer.Option("--until", help="Last stage.")] = None,
    force: ForceOption = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show the config, the stages and estimates; do nothing."),
    ] = False,
) -> None:
    """Run all stages: data, SFT, DPO, GGUF, evaluation, report. Stop and go on at any time."""
    from tooldrill.cli.display import Display
    from tooldrill.pipeline import require_inputs, run_stages

    opened = open_run(config, overrides)
    chosen = _between(opened, first, last)
    if dry_run:
        _plan(opened, chosen, force)
        return
    if first is not None:
        require_inputs(chosen[0], opened, _stages())
    display = Display([stage.name for stage in chosen])
    with display:
        run_stages(chosen, opened, display, force=force)
    from tooldrill.cli.summary import print_summary
    from tooldrill.release import is_exported, release_run

    print_summary(opened)
    if is_exported(opened):
        typer.echo(f"release {release_run(opened)}")


def validate(config: ConfigArgument, overrides: OverridesArgument = None) -> None:
    """Check a config and report all its problems at once."""
    opened = open_run(config, overrides)
    typer.echo(f"{config}: fine; it writes to {opened.folder}")


def schema() -> None:
    """Print the JSON Schema of a config, for editors."""
    import json

    from tooldrill.config import RunConfig

    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **RunConfig.model_json_schema(),
    }
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _stages() -> Sequence[Stage]:
    from tooldrill.stages import STAGES

    return STAGES


def _between(opened: Run, first: StageName | None, last: StageName | None) -> list[Stage]:
    from tooldrill.agent.errors import TooldrillError

    names = list(StageName)
    low = names.index(first) if first else 0
    high = names.index(last) if last else len(names) - 1
    if low > high:
        raise TooldrillError(
            f"--from {first} comes after --until {last}", f"the order is {', '.join(names)}"
        )
    chosen = [s for s in _stages() if s.name in names[low : high + 1] and s.enabled(opened)]
    if not chosen:
        raise TooldrillError(
            "none of these stages is enabled in the config",
            "enable it: training.sft.enabled=true or training.dpo.enabled=true",
        )
    return chosen


def _plan(opened: Run, chosen: list[Stage], force: bool) -> None:
    from rich.console import Console
    from rich.syntax import Syntax

    from tooldrill.cli.plan import plan_table
    from tooldrill.config import dump_resolved

    console = Console()
    resolved = dump_resolved(opened.config)
    if console.is_terminal:
        console.print(Syntax(resolved, "yaml", background_color="default"))
    else:
        typer.echo(resolved)
    for part in plan_table(opened, chosen, force):
        console.print(part)
