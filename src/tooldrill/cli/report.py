"""`report`: of a run, or of any results files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tooldrill.cli.arguments import ForceOption

if TYPE_CHECKING:
    from tooldrill.eval.results import Results


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("report")(report)


def report(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="CONFIG [KEY=VALUE]... | FILE.json...",
            help="A run's YAML file with overrides, or results files of `tooldrill eval`. "
            "The first file is what the others are compared with.",
        ),
    ],
    baseline: Annotated[
        list[Path] | None,
        typer.Option("--baseline", metavar="FILE.json", help="A results file to compare with."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.html", help="Where the report goes.")
    ] = None,
    title: Annotated[str, typer.Option("--title", help="What stands above the report.")] = "",
    force: ForceOption = False,
) -> None:
    """Write the report (HTML, Markdown, CSV) of a run, or of any results files."""
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.cli.stages import run_stage

    if not sources[0].endswith(".json"):
        if baseline or out is not None or title:
            raise TooldrillError(
                "--baseline, --out and --title go with results files",
                f"a run's baselines stand in its config: tooldrill report {sources[0]}",
            )
        run_stage("report", Path(sources[0]), sources[1:], force)
        return
    other = next((source for source in sources if not source.endswith(".json")), None)
    if other is not None:
        raise TooldrillError(
            f"{other} is no results file", "give either one CONFIG, or results files alone"
        )
    if out is None:
        raise TooldrillError("where should the report go?", "add --out report.html")
    _of_files([Path(source) for source in sources], baseline or [], out, title, force)


def _of_files(files: list[Path], baselines: list[Path], out: Path, title: str, force: bool) -> None:
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.eval.report import write_report
    from tooldrill.eval.results import Results

    if out.suffix != ".html":
        raise TooldrillError(f"{out} does not end in .html", f"add --out {out}.html")
    taken = [path for path in map(out.with_suffix, (".html", ".md", ".csv")) if path.exists()]
    if taken and not force:
        raise TooldrillError(f"{taken[0]} is there already", "add --force, or name another file")
    paths = [*files, *baselines]
    twice = next((path for i, path in enumerate(paths) if path in paths[:i]), None)
    if twice is not None:
        raise TooldrillError(f"{twice} is named twice", "name every results file once")
    loaded = [Results.load(path) for path in files]
    others = _other_conditions(loaded)
    kept = [(one, path) for one, path in zip(loaded, files, strict=True) if one not in others]
    models = [one for one, _ in kept] + [Results.load(path) for path in baselines]
    results = _named_apart(models, [*(path for _, path in kept), *baselines])
    written = write_report(
        results[: len(kept)],
        out,
        title=title or "tooldrill report",
        baselines=results[len(kept) :],
        conditions=others,
    )
    typer.echo(f"report  {written.html}\n        {written.markdown}\n        {written.csv}")


def _other_conditions(results: list[Results]) -> list[Results]:
    """Those of a matrix whose model is there under its base condition, on the same suite."""
    base = [(one.model.name, one.suite.name) for one in results if not one.cell]
    return [
        one for one in results if one.cell and base.count((one.model.name, one.suite.name)) == 1
    ]


def _named_apart(results: list[Results], paths: list[Path]) -> list[Results]:
    """Models of one name get their file's name as well: a column must say whose it is."""
    names = [one.model.name for one in results]
    return [
        one
        if names.count(one.model.name) == 1
        else one.model_copy(
            update={
                "model": one.model.model_copy(update={"name": f"{one.model.name} ({path.stem})"})
            }
        )
        for one, path in zip(results, paths, strict=True)
    ]
