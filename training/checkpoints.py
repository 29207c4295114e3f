"""Checkpoints that are whole or absent, and where to go on after a stop.

The trainer writes a checkpoint file by file; a marker written last tells a whole one from one that
was cut off. Incomplete ones are removed before a run goes on.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

_MARKER = "complete"


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint in `folder`, None when there is none; removes the others."""
    found: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        if (path / _MARKER).is_file():
            found.append((int(path.name.rpartition("-")[2]), path))
        else:
            shutil.rmtree(path)
    return max(found)[1] if found else None


class MarkComplete(TrainerCallback):  # type: ignore[misc]
    """Marks each checkpoint once everything in it is written."""

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if not state.is_world_process_zero:
            return
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / _MARKER).touch()
