"""The export stage of a run: a GGUF of each model, in the quantizations that somebody needs.

The final model gets every quantization of the config; the others only the one that is evaluated.
Each model has a folder of its own, and what lies there of the same inputs is used again: a killed
stage goes on with the model at which it stopped, and another quantization is made of the F16 file
that is there.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tooldrill.agent.progress import Progress
from tooldrill.export.run import export_model
from tooldrill.export.settings import ExportSettings
from tooldrill.layout import BASE
from tooldrill.parts import part_of
from tooldrill.pipeline import Run


def export_all(run: Run, conditions: Sequence[str], out: Path, progress: Progress) -> None:
    """Exports every model of the run that is not there yet; models that it has not go."""
    for folder in out.iterdir() if out.is_dir() else ():
        if folder.is_dir() and folder.name not in conditions:
            shutil.rmtree(folder, ignore_errors=True)
    for index, condition in enumerate(conditions):
        part = part_of(progress, index, len(conditions), condition)
        part(0, 1)
        final = condition == conditions[-1]
        _export(run, condition, _settings(run, final), out / condition, part)


def _settings(run: Run, final: bool) -> ExportSettings:
    settings = run.config.export
    if final:
        return settings
    only = {"quantizations": [run.config.eval.quantization], "adapter_gguf": False}
    return settings.model_copy(update=only)


def _export(
    run: Run, condition: str, settings: ExportSettings, folder: Path, progress: Progress
) -> None:
    adapter = None if condition == BASE else run.stage_folder(condition) / "adapter"
    # Compared on conversations in held-out worlds: none of the run's data.
    export_model(run.config.model, adapter, settings, None, folder, progress)
