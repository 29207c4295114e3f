"""Checkpoints that are whole or absent, and where to go on after a stop.

The trainer writes a checkpoint file by file; a marker written last tells a whole one from one that
was cut off. Incomplete ones are removed before a run goes on.

Where FSDP has cut the weights among the processes, an adapter is gathered before it is written.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from accelerate import PartialState
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.fsdp import FSDPModule, FullyShardedDataParallel
from transformers import TrainerCallback

from tooldrill.training.divergence import is_finite
from tooldrill.training.processes import agreed, is_first, process_count

_MARKER = "complete"
_WEIGHTS = "adapter_model.safetensors"


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint in `folder`, None when there is none; removes the others."""
    found: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        if (path / _MARKER).is_file():
            found.append((int(path.name.rpartition("-")[2]), path))
        else:
            shutil.rmtree(path)
    return max(found)[1] if found else None


def save_adapter(model: Any, folder: Path) -> None:
    """Writes the adapter into `folder`; to be called in every process, the first one writes.

    Args:
        model: as the trainer holds it, sharded or not.
    """
    sharded = isinstance(model, FSDPModule | FullyShardedDataParallel)
    weights = _gathered(model) if sharded else None
    if is_first():
        inner: Any = model.module if isinstance(model, FullyShardedDataParallel) else model
        inner.save_pretrained(str(folder), selected_adapters=["default"], state_dict=weights)


def _gathered(model: Any) -> dict[str, Any]:
    """The trained weights of all shards together, by name."""
    options = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True)
    return dict(get_model_state_dict(model, options=options))


class MarkComplete(TrainerCallback):  # type: ignore[misc]
    """Marks each checkpoint once everything in it is written, by all processes.

    One whose weights are no numbers stays unmarked: a run never goes on from it. One of shards is
    given the whole adapter, too, which others can load.
    """

    def on_save(
        self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any
    ) -> None:
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if not agreed((folder / _WEIGHTS).is_file()):
            save_adapter(model, folder)
        if process_count() > 1:
            PartialState().wait_for_everyone()
        if is_finite(model) and is_first():
            (folder / _MARKER).touch()
