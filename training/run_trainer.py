"""Running a TRL trainer to its end: resume, adapter, loss curve, summary."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from transformers.trainer_callback import PrinterCallback

from tooldrill.agent.atomic import atomic_directory, write_text
from tooldrill.agent.errors import TooldrillError
from tooldrill.training.checkpoints import latest_checkpoint
from tooldrill.training.setup import TrainSummary
from tooldrill.training.telling import write_curve


def run_trainer(trainer: Any, out: Path, sizes: dict[str, int], choices: list[str]) -> TrainSummary:
    """Trains from the newest whole checkpoint; writes `adapter`, `curve.jsonl` and `summary.json`.

    Args:
        trainer: a TRL trainer whose `output_dir` is `out/checkpoints`.
        sizes: `examples`, `tokens` and `learned` of one epoch.
        choices: the machine's settings, for the summary.

    Raises:
        TooldrillError: when memory runs out or the loss is no longer a number.
    """
    trainer.remove_callback(PrinterCallback)
    checkpoint = latest_checkpoint(Path(trainer.args.output_dir))
    start = time.perf_counter()
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "memory" not in str(error).lower():
            raise
        raise TooldrillError(
            "training ran out of memory",
            "lower the batch_size, raise gradient_accumulation, or set "
            "training.hardware.gradient_checkpointing=true",
        ) from error
    adapter = out / "adapter"
    with atomic_directory(adapter) as folder:
        trainer.model.save_pretrained(str(folder), selected_adapters=["default"])
    curve = write_curve(trainer.state.log_history, out / "curve.jsonl")
    final = curve[-1]["loss"] if curve else float("nan")
    if math.isnan(final):
        raise TooldrillError(
            "the loss is no longer a number", "lower the learning_rate and run with --force"
        )
    summary = TrainSummary(
        adapter=adapter,
        steps=trainer.state.global_step,
        seconds=time.perf_counter() - start,
        final_loss=final,
        curve=curve,
        choices=choices,
        **sizes,
    )
    write_text(out / "summary.json", summary.model_dump_json(indent=1))
    return summary
