"""The rounds of a run: the model works, its own violations become pairs, it learns from them.

A round exports the newest adapter to GGUF, runs it in the loop on training tasks it has not met,
pairs each violation with the oracle's reply at the same point, mixes in some of the made pairs (or
it would forget the classes it no longer shows), and runs DPO again from that adapter. Each part
of a round is kept; a killed stage goes on with the one at which it stopped. Held-out tasks take no
part.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from tooldrill.agent.atomic import atomic_directory, write_text
from tooldrill.agent.progress import Progress
from tooldrill.data.from_models.failures import own_failures
from tooldrill.data.from_models.rollouts import read_rollouts
from tooldrill.data.from_models.teacher import ROLLOUTS, solve_tasks, training_tasks
from tooldrill.data.ingest.run import new_set
from tooldrill.data.sets.reading import read_rows
from tooldrill.eval.models import open_engine
from tooldrill.export.run import export_model
from tooldrill.layout import DPO
from tooldrill.parts import part_of
from tooldrill.pipeline import Run
from tooldrill.training.jobs import Job, run_job

_PARTS = 3  # of a round: export, loop, training
SUMMARY = "round.json"


def run_rounds(run: Run, adapter: Path, out: Path, progress: Progress) -> None:
    """Runs what is left of `training.rounds.count` rounds, from `adapter` on.

    Ends early when a round's model breaks nothing that a pair could be made of.
    """
    count = run.config.training.rounds.count
    for index in range(count):
        folder = out / str(index + 1)
        if not (folder / SUMMARY).is_file():
            _round(run, index, adapter, folder, progress)
        # A file of the model's size, which can be made again.
        shutil.rmtree(folder / "model", ignore_errors=True)
        if not (folder / DPO / "adapter").is_dir():
            break
        adapter = folder / DPO / "adapter"
    with atomic_directory(out / "adapter") as final:
        shutil.copytree(adapter, final, dirs_exist_ok=True)


def _round(run: Run, index: int, adapter: Path, folder: Path, progress: Progress) -> None:
    config, parts = run.config, _PARTS * run.config.training.rounds.count

    def part(step: int, note: str) -> Progress:
        return part_of(progress, _PARTS * index + step, parts, f"round {index + 1}: {note}")

    gguf = _exported(run, adapter, folder / "model", part(0, "export"))
    log = _worked(run, index, gguf, folder / "loop", part(1, "loop"))
    told, pairs = _paired(run, index, log, folder / "pairs")
    if pairs:
        job = Job(
            step=DPO,
            model=config.model,
            training=config.training,
            data=folder / "pairs/dpo.jsonl",
            out=folder / DPO,
            sft_adapter=adapter,
        )
        run_job(job, part(2, "training"))
    write_text(folder / SUMMARY, json.dumps(told, indent=1))


def _exported(run: Run, adapter: Path, folder: Path, progress: Progress) -> Path:
    quantization = run.config.eval.quantization
    if not (folder / "export.json").is_file():
        settings = run.config.export.model_copy(update={"quantizations": [quantization]})
        export_model(run.config.model, adapter, settings, None, folder, progress)
    return next(folder.glob(f"*-{quantization}.gguf"))


def _worked(run: Run, index: int, gguf: Path, folder: Path, progress: Progress) -> Path:
    """The log of the model's episodes on tasks that no other round and no trace has."""
    config = run.config
    tasks = training_tasks(config.data, config.training.rounds.tasks, index)
    name = f"round {index + 1}"
    engine, _ = open_engine(config.eval.engine, gguf=gguf, endpoint=None, model=None, name=name)
    try:
        solve_tasks(tasks, engine, config.eval.loop, name, folder, progress=progress)
    finally:
        engine.close()
    return folder / ROLLOUTS


def _paired(run: Run, index: int, log: Path, folder: Path) -> tuple[dict[str, Any], int]:
    """Writes the round's pairs; returns what is to be told of them, and how many are its own."""
    rollouts = list(read_rollouts(log))
    own = list(own_failures(rollouts))
    mixed = run.config.training.rounds.mixed
    made = read_rows(run.stage_folder("data") / "dpo.jsonl")
    wanted = min(len(made), round(len(own) * mixed / (1 - mixed)))
    rng = random.Random(f"round {run.config.data.seed} {index}")
    with new_set(folder, DPO) as rows:
        for row in rng.sample([*own, *rng.sample(made, wanted)], len(own) + wanted):
            rows.add(row)
    told = {
        "episodes": len(rollouts),
        "solved": sum(bool(rollout.episode.success) for rollout in rollouts),
        "replies": sum(len(rollout.episode.steps) for rollout in rollouts),
        "own_pairs": dict(Counter(pair["violation"] for pair in own).most_common()),
        "made_pairs": wanted if own else 0,
    }
    return told, len(own)
