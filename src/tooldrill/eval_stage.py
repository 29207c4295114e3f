"""The eval stage of a run: every model of it, and every baseline, on the same held-out tasks.

Each model has a results file of its own, written when it is finished: a killed stage goes on with
the episode at which it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress
from tooldrill.eval.models import open_engine
from tooldrill.eval.results import Results
from tooldrill.eval.run import evaluate
from tooldrill.eval.settings import BaselineSettings, EvalSettings
from tooldrill.eval.suite import heldout_set
from tooldrill.eval.suites.task_set import TaskSet
from tooldrill.layout import gguf_path, result_files
from tooldrill.parts import part_of
from tooldrill.pipeline import Run


def evaluate_all(run: Run, conditions: Sequence[str], out: Path, progress: Progress) -> None:
    """Evaluates the run's models, then the baselines; finished ones are not run again.

    Raises:
        TooldrillError: when two baselines would share a file, or a model cannot be opened.
    """
    settings = run.config.eval
    files = {name: out / path.name for name, path in result_files(run).items()}
    if len(set(files.values())) < len(files):
        raise TooldrillError(
            "two baselines have names that make the same file name",
            "give each of eval.baselines a `name` of its own letters and digits",
        )
    tasks = heldout_set(settings)
    models = [
        BaselineSettings(name=name, gguf=str(gguf_path(run, name, settings.quantization)))
        for name in conditions
    ]
    models += settings.baselines
    for index, model in enumerate(models):
        part = part_of(progress, index, len(models), model.name)
        if files[model.name].is_file():
            part(1, 1)
            continue
        evaluate_model(model, settings, tasks, files[model.name], part)


def evaluate_model(
    model: BaselineSettings,
    settings: EvalSettings,
    tasks: TaskSet,
    out: Path,
    progress: Progress,
    *,
    api_key: str | None = None,
) -> Results:
    """Opens one model, runs the tasks, and closes it again.

    Args:
        api_key: for an endpoint, in the place of the variable that the settings name.

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
        )
    finally:
        engine.close()
