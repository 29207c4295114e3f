"""Running a TRL trainer to its end: plan, resume, adapter, loss curve, summary."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers.trainer_callback import PrinterCallback

from tooldrill.agent.atomic import atomic_directory, full_disk_told, write_text
from tooldrill.agent.errors import TooldrillError
from tooldrill.training.checkpoints import latest_checkpoint, save_adapter
from tooldrill.training.collapse import StopOnCollapse
from tooldrill.training.divergence import is_finite
from tooldrill.training.engine.packing import Rows, StepPlan, plan_steps
from tooldrill.training.hardware import Hardware
from tooldrill.training.out_of_memory import less_memory
from tooldrill.training.processes import agreed, is_first, process_count
from tooldrill.training.quantized_base import keep_quantization
from tooldrill.training.settings import StageSettings
from tooldrill.training.setup import Prepared, TrainSummary
from tooldrill.training.telling import curve_of


@dataclass(frozen=True)
class Counts:
    """Sizes of the examples: how many, and for each its tokens and those of them learned."""

    examples: int
    tokens: Sequence[int]
    learned: Sequence[int]


@dataclass(frozen=True)
class RunPlan:
    """The steps of a run, over all its processes."""

    steps: StepPlan
    processes: int

    def arguments(self, stage: StageSettings) -> dict[str, Any]:
        """What the trainer must know of it."""
        return {
            "max_steps": self.steps.steps,
            "warmup_steps": round(self.steps.steps * stage.warmup),
            "gradient_accumulation_steps": self.steps.packs_per_step // self.processes,
        }


def plan_run(
    examples: Sequence[Rows], groups: Sequence[str], stage: Any, prepared: Prepared
) -> RunPlan:
    """Plans the steps of SFT or DPO (`stage`) for all the processes of a launcher.

    Raises:
        TooldrillError: when the processes are more than a step's examples.
    """
    processes = process_count()
    if processes > stage.batch_size:
        raise TooldrillError(
            f"{processes} processes cannot share a step of {stage.batch_size} examples",
            f"set batch_size={processes} or more, or launch fewer processes",
        )
    steps = plan_steps(
        examples,
        groups,
        batch_size=stage.batch_size,
        budget=prepared.hardware.tokens,
        layout=prepared.layout,
        steps=stage.max_steps,
        epochs=stage.epochs,
        processes=processes,
        seed=stage.seed,
    )
    return RunPlan(steps, processes)


def less_memory_for(hardware: Hardware, counts: Counts, plan: StepPlan) -> str:
    """What to set when these steps are too much at once."""
    longest = max(counts.tokens)
    largest = max(sum(counts.tokens[i] for i in pack) for pack in plan.packs)
    return less_memory(hardware, longest, min(largest, max(longest, hardware.tokens)))


def run_trainer(
    trainer: Any, out: Path, counts: Counts, plan: StepPlan, choices: list[str]
) -> TrainSummary:
    """Trains from the newest whole checkpoint; writes `adapter`, `curve.jsonl` and `summary.json`.

    Args:
        trainer: a TRL trainer whose `output_dir` is `out/checkpoints`.
        choices: the machine's settings, for the summary.

    Raises:
        TooldrillError: when loss or weights are no longer numbers, or the chosen replies
            collapsed before the first checkpoint.
    """
    trainer.remove_callback(PrinterCallback)
    folder = Path(trainer.args.output_dir)
    checkpoint = agreed(latest_checkpoint(folder) if is_first() else None)
    start = time.perf_counter()
    with full_disk_told(folder):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    curve = curve_of(trainer.state.log_history)
    final = curve[-1]["loss"] if curve else float("nan")
    if not (math.isfinite(final) and is_finite(trainer.model)):
        raise TooldrillError(
            f"loss or weights are no longer numbers after step {trainer.state.global_step}",
            "lower the learning_rate",
        )
    stopped = _save(trainer, out / "adapter")
    if is_first():
        write_text(out / "curve.jsonl", "".join(json.dumps(entry) + "\n" for entry in curve))
    seen = [index for pack in plan.packs for index in pack]
    summary = TrainSummary(
        adapter=out / "adapter",
        examples=counts.examples,
        tokens=sum(counts.tokens[i] for i in seen),
        computed=plan.tokens,
        learned=sum(counts.learned[i] for i in seen),
        steps=trainer.state.global_step,
        seconds=time.perf_counter() - start,
        final_loss=final,
        curve=curve,
        choices=choices,
        stopped=stopped,
    )
    if is_first():
        write_text(out / "summary.json", summary.model_dump_json(indent=1))
    return summary


def _save(trainer: Any, adapter: Path) -> str | None:
    """Writes the adapter; after a collapse the one from before it. Returns why it ended early."""
    collapse = next(
        (c for c in trainer.callback_handler.callbacks if isinstance(c, StopOnCollapse)), None
    )
    collapsed = collapse if collapse is not None and collapse.reason is not None else None
    inner = getattr(trainer.model, "module", trainer.model)
    with atomic_directory(adapter) if is_first() else nullcontext(adapter) as folder:
        if is_first():
            keep_quantization(inner, folder)
        if collapsed is None:
            save_adapter(trainer.model, folder)
            return None
        step = collapsed.restore(folder) if is_first() else 0
    return f"{collapsed.reason}; the adapter is that of step {step}"
