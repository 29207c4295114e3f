"""Preference tuning: TRL's DPOTrainer over pairs that differ only in the violation.

It goes on from the SFT adapter; the reference is that adapter as it was.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trl import DPOConfig

from tooldrill.agent.progress import Progress, silent
from tooldrill.data.sets.reading import PAIR_COLUMNS, read_rows
from tooldrill.training.adapter import load_adapter
from tooldrill.training.collapse import StopOnCollapse
from tooldrill.training.engine.batches import PreferenceBatches, packs_dataset
from tooldrill.training.examples import Preference, spoken
from tooldrill.training.out_of_memory import out_of_memory_told
from tooldrill.training.quiet import quiet_transformers, quiet_warnings
from tooldrill.training.reference import reference_log_probs
from tooldrill.training.run_trainer import Counts, less_memory_for, plan_run, run_trainer
from tooldrill.training.settings import DpoSettings, ModelSettings, TrainingSettings
from tooldrill.training.setup import TrainSummary, prepare_model, prepare_texts
from tooldrill.training.trainer_setup import callbacks, keep_to_device, trainer_arguments
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
    with quiet_warnings(), quiet_transformers():
        stage = settings.dpo
        texts = prepare_texts(model, settings, stage)
        pairs, left_out = spoken(read_rows(data, PAIR_COLUMNS), texts.protocols)
        preferences = [texts.encoder.preference(row, protocol) for row, protocol in pairs]
        groups = [json.dumps(row["tools"]) + protocol.name for row, protocol in pairs]
        counts = Counts(
            examples=len(preferences),
            tokens=[sum(map(len, p.rows)) for p in preferences],
            learned=[len(p.chosen_ids) + len(p.rejected_ids) for p in preferences],
        )
        longest = _longest(preferences)
        prepared = prepare_model(texts.base, settings, longest, out, unshared=max(counts.tokens))
        plan = plan_run([p.rows for p in preferences], groups, stage, prepared)
        arguments = trainer_arguments(
            settings, stage, stage.learning_rate, prepared.hardware, out / "checkpoints"
        )
        batches = PreferenceBatches(preferences)
        collapse = [StopOnCollapse(stage.collapse, out / "healthy")] if stage.collapse else []
        config = DPOConfig(**arguments, **plan.arguments(stage), **_loss(stage))
        advice = less_memory_for(prepared.hardware, counts, plan.steps)
        with out_of_memory_told("training", advice):
            trainer = PreparedDpoTrainer(
                model=load_adapter(prepared.model, sft_adapter),
                args=keep_to_device(config, prepared.hardware),
                train_dataset=packs_dataset(plan.steps),
                data_collator=batches,
                processing_class=texts.tokenizer,
                callbacks=[*callbacks(progress), *collapse],
                violations=[p.violation for p in preferences],
                sft_weight=stage.sft_weight,
            )
            with trainer.accelerator.autocast():  # as the trainer will compute the replies
                batches.reference = reference_log_probs(
                    trainer.model,
                    preferences,
                    groups,
                    budget=prepared.hardware.tokens,
                    layout=prepared.layout,
                    dtype=prepared.hardware.dtype,
                    progress=progress,
                )
            return run_trainer(trainer, out, counts, plan.steps, [*prepared.choices, *left_out])


def _longest(preferences: list[Preference]) -> int:
    return max(len(p.prompt_ids) + len(p.chosen_ids) + len(p.rejected_ids) for p in preferences)


def _loss(stage: DpoSettings) -> dict[str, Any]:
    return {
        "loss_type": [stage.loss],
        "beta": stage.beta,
        "label_smoothing": stage.label_smoothing,
        "precompute_ref_log_probs": True,
    }
