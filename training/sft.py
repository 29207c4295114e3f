"""Supervised fine-tuning: TRL's SFTTrainer over examples whose bad turns are not learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from datasets import Dataset
from trl import SFTConfig

from tooldrill.agent.progress import Progress, silent
from tooldrill.data.sets.reading import read_rows
from tooldrill.training.adapter import new_adapter
from tooldrill.training.examples import IGNORED, order_for_sharing
from tooldrill.training.quiet import quiet_warnings
from tooldrill.training.run_trainer import run_trainer
from tooldrill.training.settings import ModelSettings, TrainingSettings
from tooldrill.training.setup import (
    Setup,
    TrainSummary,
    callbacks,
    prepare,
    trainer_arguments,
)
from tooldrill.training.trainers import PreparedSftTrainer


def train_sft(
    model: ModelSettings,
    settings: TrainingSettings,
    data: Path,
    out: Path,
    progress: Progress = silent,
) -> TrainSummary:
    """Trains a new adapter on the traces of `data` (JSONL or Parquet); writes it to `out/adapter`.

    A run that was stopped goes on from the newest checkpoint in `out/checkpoints`.
    """
    with quiet_warnings():
        stage = settings.sft
        setup = prepare(model, settings, stage)
        dataset = _dataset(read_rows(data), setup, stage.batch_size, stage.seed)
        arguments = trainer_arguments(stage, setup.hardware, out / "checkpoints", len(dataset))
        trainer = PreparedSftTrainer(
            model=new_adapter(setup.model, settings.lora, stage.seed),
            args=SFTConfig(**arguments),
            train_dataset=dataset,
            processing_class=setup.tokenizer,
            callbacks=callbacks(progress),
        )
        sizes = {
            "examples": len(dataset),
            "tokens": sum(len(row) for row in dataset["input_ids"]),
            "learned": sum(label != IGNORED for row in dataset["labels"] for label in row),
        }
        return run_trainer(trainer, out, sizes, setup.choices)


def _dataset(rows: list[dict[str, Any]], setup: Setup, batch_size: int, seed: int) -> Dataset:
    pairs = [(row, protocol) for row in rows for protocol in setup.protocols]
    examples = [setup.encoder.example(row, protocol) for row, protocol in pairs]
    prefixes = [json.dumps(row["tools"]) + protocol.name for row, protocol in pairs]
    order = order_for_sharing(prefixes, batch_size, seed)
    chosen = [examples[i] for i in order]
    return Dataset.from_dict(
        {"input_ids": [e.input_ids for e in chosen], "labels": [e.labels for e in chosen]}
    )
