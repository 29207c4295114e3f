"""`export`: GGUF files of a run or of an adapter, their release, and its way to the hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tooldrill.cli.arguments import ForceOption, OverridesArgument, open_run

if TYPE_CHECKING:
    from tooldrill.export.release.check import Checked
    from tooldrill.export.release.hub import Target
    from tooldrill.pipeline import Run, Stage


def export(
    config: Annotated[
        Path | None,
        typer.Argument(metavar="[CONFIG]", help="The run's YAML file.", show_default=False),
    ] = None,
    overrides: OverridesArgument = None,
    config_option: Annotated[
        Path | None,
        typer.Option("--config", metavar="CONFIG", help="The same as the argument."),
    ] = None,
    adapter: Annotated[
        str | None,
        typer.Option(
            "--adapter",
            metavar="DIR",
            help="Export this PEFT folder, not the run's training; `shipped`: the one that comes "
            "with the config.",
        ),
    ] = None,
    release: Annotated[
        Path | None,
        typer.Option(
            "--release",
            metavar="DIR",
            help="Where the release goes; default: the run's folder. On another disk it is copied.",
        ),
    ] = None,
    push_to_hub: Annotated[
        str | None,
        typer.Option(
            "--push-to-hub",
            metavar="USER/NAME",
            help="Then send the release to the Hugging Face hub (HF_TOKEN, or `hf auth login`).",
        ),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="A repository that is made is private.")
    ] = False,
    revision: Annotated[
        str | None, typer.Option("--revision", metavar="BRANCH", help="Send it to this branch.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="With --push-to-hub: check and list, send nothing."),
    ] = False,
    force: ForceOption = False,
) -> None:
    """Merge the adapter, write GGUF files, quantize and verify them; put it all into one folder.

    That folder, runs/NAME/release, has the GGUF files, the adapter, a Modelfile, a model card with
    how to serve it, a data card, the measured results, the config and SHA-256 sums.
    """
    from tooldrill.agent.errors import TooldrillError

    if config_option is not None:
        # With --config, what stands first is an override already.
        overrides = [*([str(config)] if config is not None else []), *(overrides or [])]
        config = config_option
    if config is None:
        raise TooldrillError("which run?", "tooldrill export CONFIG, or --config CONFIG")
    if push_to_hub is None and (private or revision or dry_run):
        raise TooldrillError(
            "--private, --revision and --dry-run are for --push-to-hub",
            f"what an export would do: tooldrill run {config} --from export --dry-run",
        )
    target = _target(push_to_hub, private, revision) if push_to_hub is not None else None
    run = open_run(config, overrides)
    folder = _folder(run, adapter, release) if dry_run else _made(run, adapter, release, force)
    typer.echo(f"release  {folder}")
    if target is not None:
        _to_hub(folder, target, dry_run)


def _target(repository: str, private: bool, revision: str | None) -> Target:
    from tooldrill.export.release.hub import Target, require_target

    target = Target(repository, private, revision)
    require_target(target)
    return target


def _folder(run: Run, adapter: str | None, release: Path | None) -> Path:
    from tooldrill.release import find_adapter, release_folder

    found = find_adapter(run, adapter) if adapter is not None else None
    return release or release_folder(run, found)


def _made(run: Run, adapter: str | None, release: Path | None, force: bool) -> Path:
    from tooldrill.export.release.folder import require_ours
    from tooldrill.release import adapter_stage, find_adapter, release_adapter, release_run
    from tooldrill.stages import STAGES

    if release is not None:
        require_ours(release)
    if adapter is None:
        _run(next(stage for stage in STAGES if stage.name == "export"), run, force)
        return release_run(run, release)
    found = find_adapter(run, adapter)
    _run(adapter_stage(found), run, force)
    return release_adapter(run, found, release)


def _run(stage: Stage, run: Run, force: bool) -> None:
    from tooldrill.cli.display import Display
    from tooldrill.cli.summary import print_stage
    from tooldrill.pipeline import require_inputs, run_stages
    from tooldrill.stages import STAGES

    require_inputs(stage, run, STAGES)
    with Display([stage.name]) as display:
        run_stages([stage], run, display, force=force)
    print_stage(stage, run)


def _to_hub(folder: Path, target: Target, dry_run: bool) -> None:
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.cli.display import single_bar
    from tooldrill.export.release.check import check_release
    from tooldrill.export.release.hub import has_token, push

    with single_bar("check") as progress:
        checked = check_release(folder, progress)
    if dry_run:
        _print_plan(checked, target, has_token())
    if checked.problems:
        raise TooldrillError(
            "\n".join(checked.problems), "make it again: tooldrill export CONFIG, without --dry-run"
        )
    if dry_run:
        return
    for warning in checked.warnings:
        typer.echo(f"note: {warning}", err=True)
    typer.echo(f"sent     {push(folder, [name for name, _ in checked.files], target)}")


def _print_plan(checked: Checked, target: Target, token: bool) -> None:
    for name, size in checked.files:
        typer.echo(f"{size:>16,}  {name}")
    total = sum(size for _, size in checked.files)
    typer.echo(f"{total:>16,}  bytes in {len(checked.files)} files")
    kind = "private" if target.private else "public"
    typer.echo(f"to       {target.address} (if it is not there yet: made, {kind})")
    told = "there is one" if token else "there is none: `hf auth login`, or set HF_TOKEN"
    typer.echo(f"token    {told}")
    _print_all("warning", checked.warnings)
    if not checked.problems:
        typer.echo("checks   fine: complete, and every file is what SHA256SUMS says")
    typer.echo("nothing was sent")


def _print_all(label: str, lines: Sequence[str]) -> None:
    for line in lines:
        typer.echo(f"{label:<8} {line}")
