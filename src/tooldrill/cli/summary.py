"""What a command prints when it is done: the result, where it lies, and what it took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tooldrill.cli.display import gigabytes, minutes
from tooldrill.layout import conditions, result_files
from tooldrill.pipeline import Run, Stage, recorded
from tooldrill.stages import STAGES

if TYPE_CHECKING:
    from tooldrill.eval.results import Results


def print_summary(run: Run) -> None:
    """The result of a run: measures, files, time and memory of each stage."""
    console = Console(highlight=False)
    manifests = recorded(STAGES, run)
    if "eval" in manifests:
        _print_results(console, run)
    stages = Table(title="Stages", title_justify="left", title_style="bold")
    for heading in ("stage", "time", "peak memory"):
        stages.add_column(heading, justify="left" if heading == "stage" else "right")
    for name, manifest in manifests.items():
        stages.add_row(name, minutes(manifest.seconds), gigabytes(manifest.peak_memory))
    total = sum(manifest.seconds for manifest in manifests.values())
    peak = max((manifest.peak_memory for manifest in manifests.values()), default=0)
    stages.add_section()
    stages.add_row("all", minutes(total), gigabytes(peak))
    console.print(stages)
    if "export" in manifests:
        _print_files(console, run)
    report = run.stage_folder("report") / "report.html"
    if "report" in manifests:
        console.print(f"report  {report}", soft_wrap=True)


def print_stage(stage: Stage, run: Run) -> None:
    """What one stage left."""
    console = Console(highlight=False)
    manifest = recorded([stage], run)[stage.name]
    if stage.name == "eval":
        _print_results(console, run)
    folder = run.stage_folder(stage.name)
    count = len(manifest.outputs)
    size = sum(stamp.size for stamp in manifest.outputs.values())
    console.print(f"{folder}: {count} files, {size / 1e6:.1f} MB", soft_wrap=True)
    if stage.name == "export":
        _print_files(console, run)
    if stage.name == "report":
        console.print(f"report  {folder / 'report.html'}", soft_wrap=True)


def print_measures(results: Sequence[Results], console: Console | None = None) -> None:
    """Rates with 95% intervals, a row per model, and the violations by class."""
    from tooldrill.eval.measure import measure
    from tooldrill.eval.table import RATE_TITLES, class_rows, summary_rows

    console = console or Console(highlight=False)
    rates = Table(title="Rates with 95% intervals", title_justify="left", title_style="bold")
    rates.add_column("model")
    for title in RATE_TITLES.values():
        rates.add_column(title.lower(), justify="right")
    for row in summary_rows(results):
        rates.add_row(row.model, *(_stacked(row.rates[column]) for column in RATE_TITLES))
    console.print(rates)
    measures = [measure(one) for one in results]
    classes = Table(
        title="Replies with a violation, by class (number)",
        title_justify="left",
        title_style="bold",
    )
    classes.add_column("class")
    for one in measures:
        classes.add_column(one.name, justify="right")
    for line in class_rows(measures, seen_only=True):
        classes.add_row(str(line.kind), *line.cells)
    console.print(classes)


def _print_files(console: Console, run: Run) -> None:
    """The final model's GGUF files: size, bits per weight, and tensors that fell back."""
    from tooldrill.export.records import ExportSummary

    folder = run.stage_folder("export") / conditions(run)[-1]
    summary = ExportSummary.model_validate_json((folder / "export.json").read_bytes())
    for file in summary.files:
        console.print(f"GGUF    {folder / file.file}  ({file.told})", soft_wrap=True)


def _print_results(console: Console, run: Run) -> None:
    from tooldrill.eval.results import Results

    files = result_files(run)
    print_measures([Results.load(path) for path in files.values() if path.is_file()], console)
    if not run.config.eval.baselines:
        console.print("baseline not run (none is given in eval.baselines)")


def _stacked(text: str) -> str:
    """The interval under its rate: eighty columns are enough."""
    return text.replace(" (", "\n(", 1)
