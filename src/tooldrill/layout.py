"""Which models a run has, and where in its folder their files lie.

What the stages, their work and the command line agree on; nothing is read or made here.
"""

from __future__ import annotations

import re
from pathlib import Path

from tooldrill.eval.cells import Cell, cells
from tooldrill.pipeline import Run

BASE, SFT, DPO, ROUNDS = "base", "sft", "dpo", "rounds"


def conditions(run: Run) -> list[str]:
    """The models of this run, from the untrained one to the final one."""
    training = run.config.training
    names = [BASE]
    if training.sft.enabled:
        names.append(SFT)
    if training.dpo.enabled:
        names.append(DPO)
    if training.dpo.enabled and training.rounds.count:
        names.append(ROUNDS)
    return names


def gguf_path(run: Run, condition: str, quantization: str) -> Path:
    """A GGUF of this run; a pattern that names no file while it is not exported."""
    folder, pattern = run.stage_folder("export") / condition, f"*-{quantization}.gguf"
    return next(folder.glob(pattern), folder / pattern)


def file_stem(name: str) -> str:
    """A model's name made fit for a file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "model"


def cell_file(run: Run, name: str, cell: Cell) -> Path:
    """The results file of a model in one cell."""
    stem = file_stem(name)
    folder = run.stage_folder("eval")
    if cell.is_main:
        return folder / f"{stem}.json"
    suite = file_stem(cell.suite or "tasks")
    return folder / "cells" / suite / f"{stem}--{file_stem(cell.name or 'base')}.json"


def models_of(run: Run, cell: Cell) -> list[str]:
    """The models that are run in a cell.

    The baselines under the base condition alone; in other quantizations the final model alone,
    which is the only one that is exported in them.
    """
    settings, own = run.config.eval, conditions(run)
    if cell.settings.quantization != settings.quantization:
        return own[-1:]
    return own if cell.name else [*own, *(b.name for b in settings.baselines)]


def all_result_files(run: Run) -> list[Path]:
    """The results files of all models in all cells."""
    return [
        cell_file(run, name, cell)
        for cell in cells(run.config.eval)
        for name in models_of(run, cell)
    ]


def result_files(run: Run) -> dict[str, Path]:
    """The results file of each model, by its name in reports."""
    folder = run.stage_folder("eval")
    names = [*conditions(run), *(b.name for b in run.config.eval.baselines)]
    return {name: folder / f"{file_stem(name)}.json" for name in names}
