"""The eval stage of a run: every model of it, and every baseline, on the same held-out tasks.

Each model has a results file of its own, written when it is finished: a killed stage goes on with
the episode at which it stopped.
"""

from __future__ import annotations

from pathlib import Path

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress
from tooldrill.eval.cells import Cell, cells
from tooldrill.eval.models import open_engine
from tooldrill.eval.results import Results
from tooldrill.eval.run import evaluate
from tooldrill.eval.settings import BaselineSettings, EvalSettings
from tooldrill.eval.suite import heldout_set
from tooldrill.eval.suites.catalog import find_suite
from tooldrill.eval.suites.task_set import TaskSet
from tooldrill.layout import cell_file, gguf_path, models_of, result_files
from tooldrill.parts import part_of
from tooldrill.pipeline import Run


def evaluate_all(run: Run, out: Path, progress: Progress) -> None:
    """Evaluates the run's models and the baselines, cell by cell; finished ones are not run again.

    Raises:
        TooldrillError: when two baselines would share a file, or a model cannot be opened.
    """
    settings = run.config.eval
    eval_folder = run.stage_folder("eval")
    files = {name: out / path.name for name, path in result_files(run).items()}
    if len(set(files.values())) < len(files):
        raise TooldrillError(
            "two baselines have names that make the same file name",
            "give each of eval.baselines a `name` of its own letters and digits",
        )
    work = [(cell, model) for cell in cells(settings) for model in _models(run, cell, settings)]
    for index, (cell, model) in enumerate(work):
        part = part_of(progress, index, len(work), " ".join(filter(None, _words(model, cell))))
        path = out / cell_file(run, model.name, cell).relative_to(eval_folder)
        if path.is_file():
            part(1, 1)
            continue
        tasks = cell_tasks(cell)
        evaluate_model(model, cell.settings, tasks, path, part, cell=cell.name)


def cell_tasks(cell: Cell) -> TaskSet:
    """The tasks of a cell."""
    settings = cell.settings
    if cell.suite is None:
        return heldout_set(settings)
    return find_suite(cell.suite, settings.seed, settings.suite_tasks)


def _models(run: Run, cell: Cell, settings: EvalSettings) -> list[BaselineSettings]:
    baselines = {baseline.name: baseline for baseline in settings.baselines}
    quantization = cell.settings.quantization
    return [
        baselines.get(name)
        or BaselineSettings(name=name, gguf=str(gguf_path(run, name, quantization)))
        for name in models_of(run, cell)
    ]


def _words(model: BaselineSettings, cell: Cell) -> list[str]:
    return [model.name, cell.suite or "", cell.name]


def evaluate_model(
    model: BaselineSettings,
    settings: EvalSettings,
    tasks: TaskSet,
    out: Path,
    progress: Progress,
    *,
    api_key: str | None = None,
    cell: str = "",
) -> Results:
    """Opens one model, runs the tasks, and closes it again.

    Args:
        api_key: for an endpoint, in the place of the variable that the settings name.
        cell: what the condition is called.

    Raises:
        TooldrillError: when it cannot be opened, or its engine fails every time.
    """
    gguf = Path(model.gguf).expanduser() if model.gguf is not None else None
    asking = (model.server or settings.endpoint) if model.endpoint is not None else None
    adapters = [*settings.engine.adapters, *model.adapters]
    engine_settings = settings.engine.model_copy(update={"adapters": adapters})
    engine, info = open_engine(
        engine_settings,
        gguf=gguf,
        endpoint=model.endpoint,
        model=model.model,
        name=model.name,
        asking=asking,
        api_key=api_key,
    )
    try:
        return evaluate(
            engine,
            info,
            tasks,
            settings.loop,
            engine_settings,
            out,
            progress,
            endpoint=asking,
            cell=cell,
        )
    finally:
        engine.close()
