"""`train sft|dpo|rounds`: one stage of a run, by the same code as `run`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tooldrill.cli.arguments import ConfigArgument, ForceOption, OverridesArgument, open_run
from tooldrill.cli.export import export


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    train = typer.Typer(help="Train the adapter: SFT, then DPO.", no_args_is_help=True)
    train.command("sft")(sft)
    train.command("dpo")(dpo)
    train.command("rounds")(rounds)
    app.add_typer(train, name="train")
    app.command("export")(export)


def run_stage(name: str, config: ConfigArgument, overrides: list[str] | None, force: bool) -> None:
    """Runs one stage of a run; its inputs must be there."""
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.cli.display import Display
    from tooldrill.cli.summary import print_stage
    from tooldrill.pipeline import require_inputs, run_stages
    from tooldrill.stages import STAGES

    run = open_run(config, overrides)
    stage = next(stage for stage in STAGES if stage.name == name)
    if not stage.enabled(run):
        switch = "training.rounds=1" if name == "rounds" else f"training.{name}.enabled=true"
        raise TooldrillError(f"{name} is switched off in {config}", f"add {switch}")
    require_inputs(stage, run, STAGES)
    with Display([name]) as display:
        run_stages([stage], run, display, force=force)
    print_stage(stage, run)
    if name in ("eval", "report"):
        from tooldrill.release import release_run

        # What was measured stands in its cards.
        typer.echo(f"release {release_run(run)}")


LauncherOption = Annotated[
    str | None,
    typer.Option(
        "--launcher",
        metavar="COMMAND",
        help="Train in several processes: 'accelerate launch --num_processes 2', 'torchrun ...'.",
    ),
]


def sft(
    config: ConfigArgument,
    overrides: OverridesArgument = None,
    force: ForceOption = False,
    launcher: LauncherOption = None,
) -> None:
    """Fine-tune on the traces (LoRA)."""
    run_stage("sft", config, _with_launcher(overrides, launcher), force)


def dpo(
    config: ConfigArgument,
    overrides: OverridesArgument = None,
    force: ForceOption = False,
    launcher: LauncherOption = None,
) -> None:
    """Prefer the correct call to its corrupted twin, from the SFT adapter on."""
    run_stage("dpo", config, _with_launcher(overrides, launcher), force)


def rounds(
    config: ConfigArgument,
    overrides: OverridesArgument = None,
    force: ForceOption = False,
    launcher: LauncherOption = None,
) -> None:
    """Let the model work on training tasks, and prefer the right call to its own violations."""
    run_stage("rounds", config, _with_launcher(overrides, launcher), force)


def _with_launcher(overrides: list[str] | None, launcher: str | None) -> list[str] | None:
    """`--launcher` is short for the override."""
    if launcher is None:
        return overrides
    return [*(overrides or []), f"training.launcher={json.dumps(launcher)}"]
