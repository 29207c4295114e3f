"""`eval`: the eval stage of a run, or any single model on the same held-out tasks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tooldrill.cli.arguments import (
    AdapterOption,
    ApiKeyOption,
    ConstrainOption,
    EndpointOption,
    ForceOption,
    OverridesArgument,
    ServerOption,
)

if TYPE_CHECKING:
    from tooldrill.eval.settings import BaselineSettings, EvalSettings
    from tooldrill.eval.suites.task_set import TaskSet


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
    endpoint: EndpointOption = None,
    server: ServerOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.json", help="Where the results go.")
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option(
            "--suite",
            metavar="NAME|DIR",
            help="contract, unseen, counterfactual, recovery, restraint (docs/suites.md), or a "
            "folder with tools.py and tasks.jsonl (docs/own-suite.md).",
        ),
    ] = None,
    validate: Annotated[
        bool, typer.Option("--validate", help="Only say what is wrong in --suite, by line.")
    ] = False,
    adapter: AdapterOption = None,
    name: Annotated[str | None, typer.Option("--name", help="What reports call the model.")] = None,
    api_key: ApiKeyOption = None,
    constrain: ConstrainOption = None,
    force: ForceOption = False,
) -> None:
    """Evaluate the models of a run, or one model (--model, --endpoint) on the same tasks.

    With --endpoint and no --model, the server's only or first model is taken.
    """
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.cli.models import require_model, server_overrides
    from tooldrill.cli.stages import run_stage
    from tooldrill.eval.settings import BaselineSettings

    if validate:
        _validate(suite)
        return
    overrides = overrides or []
    if config is not None and "=" in str(config) and not config.exists():
        # CONFIG may be left out; what was meant as the first override then stands in its place.
        config, overrides = None, [str(config), *overrides]
    overrides += server_overrides(server)
    if constrain is not None:
        overrides.append(f"eval.loop.constrain={constrain}")
    if adapter:
        require_model(model, endpoint, adapter)
    if model is None and endpoint is None:
        if suite is not None:
            raise TooldrillError(
                "which model is to be run on --suite?",
                "add --model FILE.gguf or --endpoint URL, and --out FILE.json",
            )
        if config is None:
            raise TooldrillError(
                "nothing to evaluate", "give CONFIG, or --model FILE.gguf --out FILE.json"
            )
        run_stage("eval", config, overrides, force)
        return
    if out is None:
        raise TooldrillError("where should the results go?", "add --out FILE.json")
    if out.exists() and not force:
        raise TooldrillError(f"{out} is there already", "add --force, or name another file")
    settings = _settings(config, overrides)
    tasks = _tasks(suite, settings)
    if endpoint is not None:
        subject = _served(endpoint, model, name, settings, api_key)
    else:
        require_model(model, endpoint)
        assert model is not None
        subject = BaselineSettings(
            name=name or Path(model).stem, gguf=model, adapters=adapter or []
        )
    _single(settings, subject, tasks, out, api_key)


def _tasks(suite: str | None, settings: EvalSettings) -> TaskSet:
    from tooldrill.eval.suite import heldout_set
    from tooldrill.eval.suites.catalog import find_suite

    if suite is None:
        return heldout_set(settings)
    given = "tasks" in settings.model_fields_set
    return find_suite(suite, settings.seed, settings.tasks if given else None)


def _validate(folder: str | None) -> None:
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.eval.suites.own_format import read_own_suite

    if folder is None:
        raise TooldrillError("which suite is to be validated?", "add --suite DIR")
    suite, problems = read_own_suite(Path(folder))
    for problem in problems:
        typer.echo(f"{problem}")
    if suite is None:
        raise typer.Exit(1)
    typer.echo(f"{folder}: {len(suite.tasks)} tasks over {len(suite.registry.names)} tools, sound")


def _settings(config: Path | None, overrides: list[str]) -> EvalSettings:
    from tooldrill.cli.arguments import open_run
    from tooldrill.config import default_config

    if config is not None:
        return open_run(config, overrides).config.eval
    return default_config(overrides).eval


def _served(
    url: str, model: str | None, name: str | None, settings: EvalSettings, api_key: str | None
) -> BaselineSettings:
    from tooldrill.agent.engines.endpoint import EndpointEngine
    from tooldrill.eval.settings import BaselineSettings

    engine = EndpointEngine(url, model, settings.endpoint, api_key=api_key)
    engine.close()
    if model is None:
        typer.echo(f"{url} serves {engine.model.id}", err=True)
    return BaselineSettings(
        name=name or engine.model.short_name, endpoint=url, model=engine.model.id
    )


def _single(
    settings: EvalSettings,
    subject: BaselineSettings,
    tasks: TaskSet,
    out: Path,
    api_key: str | None,
) -> None:
    from tooldrill.cli.display import single_bar
    from tooldrill.cli.summary import print_measures
    from tooldrill.eval_stage import evaluate_model

    with single_bar("eval") as progress:
        results = evaluate_model(subject, settings, tasks, out, progress, api_key=api_key)
    print_measures([results])
    typer.echo(f"results: {out}")
