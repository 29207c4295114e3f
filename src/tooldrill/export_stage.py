"""The export stage of a run: a GGUF of each model, in the quantizations that somebody needs.

The final model gets every quantization of the config; the others only the one that is evaluated.
Each model has a folder of its own, which appears when it is whole: a killed stage goes on with the
model at which it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tooldrill.agent.atomic import atomic_directory
from tooldrill.agent.progress import Progress
from tooldrill.export.run import export_model
from tooldrill.export.settings import ExportSettings
from tooldrill.pipeline import Run
from tooldrill.stages import BASE

_PARTS = 1000


def export_all(run: Run, conditions: Sequence[str], out: Path, progress: Progress) -> None:
    """Exports every model of the run that is not there yet."""
    total = len(conditions) * _PARTS
    for index, condition in enumerate(conditions):

        def part(
            done: int, parts: int, note: str = "", *, index: int = index, name: str = condition
        ) -> None:
            share = index * _PARTS + _PARTS * done // max(parts, 1)
            progress(share, total, f"{name}: {note}" if note else name)

        part(0, 1)
        if (out / condition).is_dir():
            continue
        final = condition == conditions[-1]
        with atomic_directory(out / condition) as folder:
            _export(run, condition, _settings(run, final), folder, part)


def _settings(run: Run, final: bool) -> ExportSettings:
    settings = run.config.export
    if final:
        return settings
    return settings.model_copy(update={"quantizations": [run.config.eval.quantization]})


def _export(
    run: Run, condition: str, settings: ExportSettings, folder: Path, progress: Progress
) -> None:
    adapter = None if condition == BASE else run.stage_folder(condition) / "adapter"
    samples = run.stage_folder("data") / "sft.parquet"
    export_model(run.config.model, adapter, settings, samples, folder, progress)
