"""Preference tuning: TRL's DPOTrainer over pairs that differ only in the violation.

It goes on from the SFT adapter; the reference is a frozen copy of that adapter.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from datasets import Dataset
from trl import DPOConfig

from tooldrill.agent.progress import Progress, silent
from tooldrill.data.sets.reading import read_rows
from tooldrill.training.adapter import load_adapter
from tooldrill.training.examples import order_for_sharing
from tooldrill.training.quiet import quiet_warnings
from tooldrill.training.run_trainer import run_trainer
from tooldrill.training.settings import DpoSettings, ModelSettings, TrainingSettings
from tooldrill.training.setup import (
    Setup,
    TrainSummary,
    callbacks,
    prepare,
    trainer_arguments,
)
from tooldrill.training.trainers import PreparedDpoTrainer


def train_dpo(  # noqa: PLR0917 - the parts of a training run, in the order they are made
    model: ModelSettings,
    settings: TrainingSettings,
    data: Path,
    sft_adapter: Path,
    out: Path,
    progress: Progress = silent,
) -> TrainSummary:
    """Trains the SFT adapter further on the pairs of `data` and writes it to `out/adapter`.

    A run that was stopped goes on from the newest checkpoint in `out/checkpoints`.
    """
    with quiet_warnings():
        stage = settings.dpo
        setup = prepare(model, settings, stage)
        dataset = _dataset(read_rows(data), setup, stage.batch_size, stage.seed)
        arguments = trainer_arguments(stage, setup.hardware, out / "checkpoints", len(dataset))
        trainer = PreparedDpoTrainer(
            model=load_adapter(setup.model, sft_adapter),
            args=DPOConfig(**arguments, **_loss(stage)),
            train_dataset=dataset,
            processing_class=setup.tokenizer,
            callbacks=callbacks(progress),
        )
        replies = [*dataset["chosen_ids"], *dataset["rejected_ids"]]
        learned = sum(len(reply) for reply in replies)
        prompts = 2 * sum(len(prompt) for prompt in dataset["prompt_ids"])
        sizes = {"examples": len(dataset), "tokens": prompts + learned, "learned": learned}
        return run_trainer(trainer, out, sizes, setup.choices)


def _loss(stage: DpoSettings) -> dict[str, Any]:
    types: list[str] = [stage.loss]
    weights = [1.0]
    if stage.sft_weight:
        types, weights = [*types, "sft"], [*weights, stage.sft_weight]
    return {"loss_type": types, "loss_weights": weights, "beta": stage.beta}


def _dataset(rows: list[dict[str, Any]], setup: Setup, batch_size: int, seed: int) -> Dataset:
    pairs = [(row, protocol) for row in rows for protocol in setup.protocols]
    preferences = [setup.encoder.preference(row, protocol) for row, protocol in pairs]
    prefixes = [json.dumps(row["tools"]) + protocol.name for row, protocol in pairs]
    chosen = [preferences[i] for i in order_for_sharing(prefixes, batch_size, seed)]
    return Dataset.from_dict(
        {
            "prompt_ids": [p.prompt_ids for p in chosen],
            "chosen_ids": [p.chosen_ids for p in chosen],
            "rejected_ids": [p.rejected_ids for p in chosen],
        }
    )
