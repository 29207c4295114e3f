"""How fast training is against stock TRL: `make bench-training`.

The same examples of the default mixture, the same adapter on SmolLM2-135M, the same losses, in
float32: TRL's SFTTrainer with packing and its DPOTrainer with precomputed reference on one side,
tooldrill's packs of prefix forests on the other. Each runs in a process of its own, in turn, so
that peak memory is its own. Loading is not timed; the reference's log-probabilities are. Learning
rate 0, so that both must report the same loss. Not a test.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TRACES = int(os.environ.get("TRACES", "64"))
PAIRS = int(os.environ.get("PAIRS", "32"))
BATCH = 16
ENGINES = {"sft": ("trl", "tooldrill"), "dpo": ("trl", "tooldrill")}


def main() -> None:
    """Prints the table."""
    from tooldrill.data.sets.build import build
    from tooldrill.data.settings import DataSettings
    from tooldrill.machine import matmul_rate

    with tempfile.TemporaryDirectory() as folder:
        build(DataSettings(traces=TRACES, pairs=PAIRS), Path(folder) / "data")
        print(f"{TRACES} traces, {PAIRS} pairs of the default mixture; matmul peak "
              f"{matmul_rate() / 1e9:.0f} GFLOP/s")  # fmt: skip
        for step, engines in ENGINES.items():
            found = {engine: _apart(step, engine, Path(folder)) for engine in engines}
            for engine, figures in found.items():
                print(
                    f"{step} {engine:9} {figures['seconds']:6.1f} s, "
                    f"{figures['examples'] / figures['seconds']:.2f} examples/s, "
                    f"{figures['learned'] / figures['seconds']:.0f} learned tokens/s, "
                    f"{figures['computed']} of {figures['tokens']} tokens computed, "
                    f"{100 * figures['flops'] / figures['seconds'] / matmul_rate():.0f}% of peak, "
                    f"peak memory {figures['memory']:.2f} GiB, loss {figures['loss']:.5f}",
                    flush=True,
                )
            stock, own = (found[engine] for engine in engines)
            print(f"{step}: {stock['seconds'] / own['seconds']:.2f} times as fast, "
                  f"{own['memory'] / stock['memory']:.2f} of the memory", flush=True)  # fmt: skip


def _apart(step: str, engine: str, folder: Path) -> dict[str, float]:
    """One engine in a process of its own."""
    environment = {**os.environ, "TOOLDRILL_CACHE": str(folder / f"cache-{step}-{engine}")}
    command = [sys.executable, __file__, step, engine, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _run(step: str, engine: str, folder: Path) -> dict[str, Any]:
    import torch
    from transformers import set_seed

    from tooldrill.data.sets.reading import read_rows
    from tooldrill.training.hardware import physical_cores
    from tooldrill.training.settings import ModelSettings, TrainingSettings
    from tooldrill.training.setup import prepare_texts

    torch.set_num_threads(physical_cores())
    set_seed(0)
    texts = prepare_texts(ModelSettings(), TrainingSettings(), TrainingSettings().sft)
    rows = read_rows(folder / f"data/{step}.jsonl")
    encode = texts.encoder.example if step == "sft" else texts.encoder.preference
    examples: list[Any] = [encode(row, texts.protocols[0]) for row in rows]
    work = {"trl": _trl, "tooldrill": _tooldrill}[engine]
    groups = [json.dumps(row["tools"]) for row in rows]
    figures = work(step, texts, examples, groups, folder)
    lengths = [len(ids) for example in examples for ids in example.rows]
    learned = sum(
        e.learned if step == "sft" else len(e.chosen_ids) + len(e.rejected_ids) for e in examples
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"examples": len(examples), "tokens": sum(lengths), "learned": learned,
            "memory": memory, "computed": sum(lengths), **figures}  # fmt: skip


def _adapter(model: Any) -> Any:
    from tooldrill.training.adapter import new_adapter
    from tooldrill.training.settings import LoraSettings

    return new_adapter(model, LoraSettings(), 0)


def _arguments(folder: Path, **own: Any) -> dict[str, Any]:
    return {
        "output_dir": str(folder / "out"), "use_cpu": True, "bf16": False, "report_to": "none",
        "disable_tqdm": True, "learning_rate": 0.0, "lr_scheduler_type": "constant",
        "save_strategy": "no", "logging_steps": 1000, "gradient_checkpointing": False,
        "num_train_epochs": 1, **own,
    }  # fmt: skip


def _timed(trainer: Any, before: Any = None) -> dict[str, float]:
    start = time.perf_counter()
    if before is not None:
        before()
    trainer.train()
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "loss": trainer.state.log_history[-1]["train_loss"]}


def _flops(model: Any, step: str, computed: float, scored: float) -> float:
    """Operations of the linear layers: forward and the gradient of their inputs, see `estimates`.

    Adapters and attention come on top and are not counted; DPO's reference is one more forward.
    """
    causal = model.get_base_model()
    head = causal.get_output_embeddings().weight.numel()
    layers = sum(
        module.weight.numel()
        for name, module in causal.named_modules()
        if name.endswith("base_layer")
    )
    passes = 4 if step == "sft" else 6
    return passes * (layers * computed + head * scored)


def _trl(
    step: str, texts: Any, examples: list[Any], groups: list[str], folder: Path
) -> dict[str, float]:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    from tooldrill.training import base_model

    model = _adapter(base_model.load_model(texts.base))
    longest = max(len(ids) for example in examples for ids in example.rows)
    if step == "sft":
        rows = [example.sequences[0] for example in examples]
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(**_arguments(folder, per_device_train_batch_size=1,
                           packing=True, max_length=longest)),
            train_dataset=Dataset.from_list(
                [{"input_ids": row.input_ids, "labels": row.labels} for row in rows]
            ),
            processing_class=texts.tokenizer,
        )  # fmt: skip
        tokens = sum(len(row.input_ids) for row in rows)
        figures = _timed(trainer)
        return {**figures, "flops": _flops(trainer.model, step, tokens, tokens)}

    class Tokenized(DPOTrainer):  # type: ignore[misc]
        """Takes rows that are token ids already, and times the reference too."""

        def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            return dataset

        def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
            started = time.perf_counter()
            made = super()._precompute_ref_logps(dataset, name, batch_size)
            self.reference_seconds = time.perf_counter() - started
            return made

    columns = ("prompt_ids", "chosen_ids", "rejected_ids")
    trainer = Tokenized(
        model=model,
        args=DPOConfig(**_arguments(folder, per_device_train_batch_size=2, max_length=None,
                       gradient_accumulation_steps=2, precompute_ref_log_probs=True,
                       remove_unused_columns=False)),
        train_dataset=Dataset.from_list([{c: getattr(e, c) for c in columns} for e in examples]),
        processing_class=texts.tokenizer,
    )  # fmt: skip
    tokens = sum(len(ids) for example in examples for ids in example.rows)
    figures = _timed(trainer)
    figures["seconds"] += trainer.reference_seconds
    return {**figures, "flops": _flops(trainer.model, step, tokens, tokens)}


def _tooldrill(
    step: str, texts: Any, examples: list[Any], groups: list[str], folder: Path
) -> dict[str, float]:
    from trl import DPOConfig, SFTConfig

    from tooldrill.training.engine.batches import ExampleBatches, PreferenceBatches, packs_dataset
    from tooldrill.training.engine.packing import plan_steps
    from tooldrill.training.reference import reference_log_probs
    from tooldrill.training.settings import TrainingSettings
    from tooldrill.training.setup import prepare_model
    from tooldrill.training.trainers import PreparedDpoTrainer, PreparedSftTrainer

    longest = max(len(ids) for example in examples for ids in example.rows)
    settings = TrainingSettings.model_validate(
        {"hardware": {"dtype": "float32", "tokens": max(longest, 2048)}}
    )
    prepared = prepare_model(texts.base, settings, longest, folder / f"own-{step}")
    model = _adapter(prepared.model)
    rows = [example.rows for example in examples]
    plan = plan_steps(rows, groups, batch_size=BATCH, budget=prepared.hardware.tokens)
    arguments = _arguments(
        folder, per_device_train_batch_size=1, max_length=None, remove_unused_columns=False,
        gradient_accumulation_steps=plan.packs_per_step, train_sampling_strategy="sequential",
    )  # fmt: skip
    common = {"train_dataset": packs_dataset(plan), "processing_class": texts.tokenizer}
    if step == "sft":
        trainer: Any = PreparedSftTrainer(
            model=model, args=SFTConfig(**arguments),
            data_collator=ExampleBatches(examples), **common,
        )  # fmt: skip
        figures = _timed(trainer)
        scored = sum(example.learned for example in examples)
    else:
        batches = PreferenceBatches(examples)
        trainer = PreparedDpoTrainer(
            model=model, args=DPOConfig(**arguments, precompute_ref_log_probs=True),
            data_collator=batches, violations=[e.violation for e in examples], **common,
        )  # fmt: skip

        def reference() -> None:
            batches.reference = reference_log_probs(
                trainer.model, examples, groups, budget=prepared.hardware.tokens
            )

        figures = _timed(trainer, reference)
        scored = sum(len(e.chosen_ids) + len(e.rejected_ids) for e in examples)
    flops = _flops(trainer.model, step, plan.tokens, scored)
    return {**figures, "flops": flops, "computed": plan.tokens}


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(_run(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
    else:
        main()
