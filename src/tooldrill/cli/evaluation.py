"""`eval`: the eval stage of a run, or any single model on the same held-out tasks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tooldrill.cli.arguments import ForceOption, OverridesArgument

if TYPE_CHECKING:
    from tooldrill.eval.settings import BaselineSettings


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("eval")(evaluate)


def evaluate(
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CONFIG]",
            help="The run's YAML file; with --model it only says which tasks.",
            show_default=False,
        ),
    ] = None,
    overrides: OverridesArgument = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="A GGUF file, or the model's name at the endpoint."),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", metavar="URL", help="http://HOST:PORT/v1")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.json", help="Where the results go.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="What reports call the model.")] = None,
    force: ForceOption = False,
) -> None:
    """Evaluate the models of a run, or one model (--model, --endpoint) on the same tasks."""
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.cli.stages import run_stage

    if model is None and endpoint is None:
        if config is None:
            raise TooldrillError(
                "nothing to evaluate", "give CONFIG, or --model FILE.gguf --out FILE.json"
            )
        run_stage("eval", config, overrides, force)
        return
    if out is None:
        raise TooldrillError("where should the results go?", "add --out FILE.json")
    if endpoint is not None and model is None:
        raise TooldrillError("which model at the endpoint?", "add --model NAME")
    if out.exists() and not force:
        raise TooldrillError(f"{out} is there already", "add --force, or name another file")
    _single(config, overrides, _subject(model, endpoint, name), out)


def _subject(model: str | None, endpoint: str | None, name: str | None) -> BaselineSettings:
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.eval.settings import BaselineSettings

    assert model is not None
    if endpoint is not None:
        return BaselineSettings(name=name or model, endpoint=endpoint, model=model)
    if not Path(model).expanduser().is_file():
        raise TooldrillError(
            f"no GGUF file at {model}", "give a file, or add --endpoint URL for a served model"
        )
    return BaselineSettings(name=name or Path(model).stem, gguf=model)


def _single(
    config: Path | None, overrides: list[str] | None, subject: BaselineSettings, out: Path
) -> None:
    from tooldrill.cli.arguments import open_run
    from tooldrill.cli.display import single_bar
    from tooldrill.cli.summary import print_measures
    from tooldrill.eval.settings import EvalSettings
    from tooldrill.eval.suite import heldout_tasks
    from tooldrill.eval_stage import evaluate_model

    settings = open_run(config, overrides).config.eval if config else EvalSettings()
    tasks = heldout_tasks(settings)
    with single_bar("eval") as progress:
        results = evaluate_model(subject, settings, tasks, out, progress)
    print_measures([results])
    typer.echo(f"results: {out}")
