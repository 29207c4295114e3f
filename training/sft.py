"""Supervised fine-tuning: TRL's SFTTrainer over examples whose bad turns are not learned."""

from __future__ import annotations

import json
from pathlib import Path

from trl import SFTConfig

from tooldrill.agent.progress import Progress, silent
from tooldrill.data.sets.reading import SFT_COLUMNS, read_rows
from tooldrill.training.adapter import new_adapter
from tooldrill.training.engine.batches import ExampleBatches, packs_dataset
from tooldrill.training.examples import spoken
from tooldrill.training.out_of_memory import out_of_memory_told
from tooldrill.training.quiet import quiet_transformers, quiet_warnings
from tooldrill.training.run_trainer import Counts, less_memory_for, plan_run, run_trainer
from tooldrill.training.settings import ModelSettings, TrainingSettings
from tooldrill.training.setup import TrainSummary, prepare_model, prepare_texts
from tooldrill.training.trainer_setup import callbacks, keep_to_device, trainer_arguments
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
    with quiet_warnings(), quiet_transformers():
        stage = settings.sft
        texts = prepare_texts(model, settings, stage)
        pairs, left_out = spoken(read_rows(data, SFT_COLUMNS), texts.protocols)
        examples = [texts.encoder.example(row, protocol) for row, protocol in pairs]
        groups = [json.dumps(row["tools"]) + protocol.name for row, protocol in pairs]
        counts = Counts(
            examples=len(examples),
            tokens=[sum(map(len, example.rows)) for example in examples],
            learned=[example.learned for example in examples],
        )
        longest = max(counts.tokens)
        prepared = prepare_model(texts.base, settings, longest, out)
        plan = plan_run([e.rows for e in examples], groups, stage, prepared)
        arguments = trainer_arguments(
            settings, stage, stage.learning_rate, prepared.hardware, out / "checkpoints"
        )
        config = SFTConfig(**arguments, **plan.arguments(stage))
        advice = less_memory_for(prepared.hardware, counts, plan.steps)
        with out_of_memory_told("training", advice):
            trainer = PreparedSftTrainer(
                model=new_adapter(prepared.model, settings.lora, stage.seed),
                args=keep_to_device(config, prepared.hardware),
                train_dataset=packs_dataset(plan.steps),
                data_collator=ExampleBatches(examples),
                processing_class=texts.tokenizer,
                callbacks=callbacks(progress),
            )
            return run_trainer(trainer, out, counts, plan.steps, [*prepared.choices, *left_out])
