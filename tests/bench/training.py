"""How fast training is against stock TRL: `make bench-training`.

The same examples of the default mixture, the same adapter on SmolLM2-135M, the same losses, in
float32: TRL's SFTTrainer, with packing and one example at a time, and its DPOTrainer with
precomputed reference on one side; tooldrill's packs of prefix forests on the other. What is timed
is a sample of whole steps of a run on the default set. Each engine runs in a process of its own, in
turn, so that peak memory is its own. Loading is not timed; the reference's log-probabilities are.
All that an engine is given makes one optimizer step, so that all must report the same loss. Not a
test.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

BATCH = 16
STEPS = {"sft": int(os.environ.get("SFT_STEPS", "4")), "dpo": int(os.environ.get("DPO_STEPS", "2"))}
TOKENS = int(os.environ.get("TOKENS", "3584"))
ENGINES = {
    "sft": ("TRL, packing", "TRL, one by one", "tooldrill"),
    "dpo": ("TRL", "tooldrill"),
}
ALL = 10_000  # more micro-batches than there are: one optimizer step


def main() -> None:
    """Prints the table."""
    from tooldrill.data.sets.build import build
    from tooldrill.data.settings import DataSettings
    from tooldrill.machine import matmul_rate

    with tempfile.TemporaryDirectory() as folder:
        build(DataSettings(), Path(folder) / "data")
        print(f"matmul peak {matmul_rate() / 1e9:.0f} GFLOP/s", flush=True)
        for step, engines in ENGINES.items():
            if not STEPS[step]:
                continue
            found = {}
            for engine in engines:
                figures = found[engine] = _apart(step, engine, Path(folder))
                print(_line(step, engine, figures, matmul_rate()), flush=True)
            stock = [found[engine] for engine in engines if engine.startswith("TRL")]
            own = found["tooldrill"]
            for name, figures in zip(engines, stock, strict=False):
                faster = figures["seconds"] / own["seconds"]
                memory = own["memory"] / figures["memory"]
                print(f"{step}: {faster:.2f} times {name}, with {memory:.2f} of its memory")


def _line(step: str, engine: str, figures: dict[str, float], peak: float) -> str:
    seconds = figures["seconds"]
    return (
        f"{step} {engine:15} {seconds:6.1f} s for {figures['examples']} examples: "
        f"{figures['examples'] / seconds:.3f} examples/s, "
        f"{figures['learned'] / seconds:.0f} learned tokens/s, "
        f"{figures['computed']} of {figures['tokens']} tokens computed, "
        f"{100 * figures['flops'] / seconds / peak:.0f}% of the matmul peak, "
        f"peak memory {figures['memory']:.2f} GiB, loss {figures['loss']:.5f}"
    )


def _apart(step: str, engine: str, folder: Path) -> dict[str, float]:
    """One engine in a process of its own."""
    cache = folder / f"cache {step} {engine}"  # so that each computes the reference
    environment = {**os.environ, "TOOLDRILL_CACHE": str(cache)}
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
    groups = [json.dumps(row["tools"]) for row in rows]
    packs = _sample(examples, groups, STEPS[step])
    examples = [examples[index] for index in (index for pack in packs for index in pack)]
    ends = [sum(map(len, packs[:place])) for place in range(len(packs) + 1)]
    packs = [list(range(first, last)) for first, last in pairwise(ends)]
    work = _tooldrill if engine == "tooldrill" else _trl_sft if step == "sft" else _trl_dpo
    figures = work(texts, examples, packs, folder, engine)
    lengths = [len(ids) for example in examples for ids in example.rows]
    learned = sum(
        e.learned if step == "sft" else len(e.chosen_ids) + len(e.rejected_ids) for e in examples
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"examples": len(examples), "tokens": sum(lengths), "learned": learned,
            "memory": memory, "computed": sum(lengths), **figures}  # fmt: skip


def _sample(examples: list[Any], groups: list[str], steps: int) -> list[list[int]]:
    """The packs of the first steps of an epoch, whose order is random."""
    from tooldrill.training.engine.packing import plan_steps

    rows = [example.rows for example in examples]
    plan = plan_steps(rows, groups, batch_size=BATCH, budget=TOKENS)
    return [pack for pack in plan.packs[: steps * plan.packs_per_step] if pack]


def _adapter(model: Any) -> Any:
    from tooldrill.training.adapter import new_adapter
    from tooldrill.training.settings import LoraSettings

    return new_adapter(model, LoraSettings(), 0)


def _arguments(folder: Path, **own: Any) -> dict[str, Any]:
    return {
        "output_dir": str(folder / "out"), "use_cpu": True, "bf16": False, "report_to": "none",
        "disable_tqdm": True, "learning_rate": 0.0, "lr_scheduler_type": "constant",
        "save_strategy": "no", "logging_steps": 1000, "gradient_checkpointing": False,
        "num_train_epochs": 1, "gradient_accumulation_steps": ALL,
        "train_sampling_strategy": "sequential", **own,
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


def _trl_sft(
    texts: Any, examples: list[Any], packs: list[list[int]], folder: Path, engine: str
) -> dict[str, float]:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from tooldrill.training import base_model

    rows = [example.sequences[0] for example in examples]
    longest = max(len(row.input_ids) for row in rows)
    trainer = SFTTrainer(
        model=_adapter(base_model.load_model(texts.base)),
        args=SFTConfig(**_arguments(folder, per_device_train_batch_size=1,
                       packing="packing" in engine, max_length=longest)),
        train_dataset=Dataset.from_list(
            [{"input_ids": row.input_ids, "labels": row.labels} for row in rows]
        ),
        processing_class=texts.tokenizer,
    )  # fmt: skip
    tokens = sum(len(row.input_ids) for row in rows)
    figures = _timed(trainer)
    return {**figures, "flops": _flops(trainer.model, "sft", tokens, tokens)}


def _trl_dpo(
    texts: Any, examples: list[Any], packs: list[list[int]], folder: Path, engine: str
) -> dict[str, float]:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    from tooldrill.training import base_model

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
        model=_adapter(base_model.load_model(texts.base)),
        args=DPOConfig(**_arguments(folder, per_device_train_batch_size=1, max_length=None,
                       precompute_ref_log_probs=True, remove_unused_columns=False)),
        train_dataset=Dataset.from_list([{c: getattr(e, c) for c in columns} for e in examples]),
        processing_class=texts.tokenizer,
    )  # fmt: skip
    tokens = sum(len(ids) for example in examples for ids in example.rows)
    figures = _timed(trainer)
    figures["seconds"] += trainer.reference_seconds
    return {**figures, "flops": _flops(trainer.model, "dpo", tokens, tokens)}


def _tooldrill(
    texts: Any, examples: list[Any], packs: list[list[int]], folder: Path, engine: str
) -> dict[str, float]:
    from trl import DPOConfig, SFTConfig

    from tooldrill.training.engine.batches import ExampleBatches, PreferenceBatches, packs_dataset
    from tooldrill.training.engine.packing import StepPlan
    from tooldrill.training.engine.prefix_tree import build_tree
    from tooldrill.training.examples import Preference
    from tooldrill.training.reference import reference_log_probs
    from tooldrill.training.settings import TrainingSettings
    from tooldrill.training.setup import prepare_model
    from tooldrill.training.trainers import PreparedDpoTrainer, PreparedSftTrainer

    longest = max(len(ids) for example in examples for ids in example.rows)
    settings = TrainingSettings.model_validate(
        {"hardware": {"dtype": "float32", "tokens": max(longest, TOKENS)}}
    )
    prepared = prepare_model(texts.base, settings, longest, folder / engine)
    model = _adapter(prepared.model)
    forests = [
        build_tree([ids for index in pack for ids in examples[index].rows]) for pack in packs
    ]
    plan = StepPlan(packs, len(packs), sum(len(forest.tokens) for forest in forests))
    arguments = _arguments(
        folder, per_device_train_batch_size=1, max_length=None, remove_unused_columns=False,
    )  # fmt: skip
    common = {"train_dataset": packs_dataset(plan), "processing_class": texts.tokenizer}
    if not isinstance(examples[0], Preference):
        trainer: Any = PreparedSftTrainer(
            model=model, args=SFTConfig(**arguments),
            data_collator=ExampleBatches(examples), **common,
        )  # fmt: skip
        figures = _timed(trainer)
        flops = _flops(trainer.model, "sft", plan.tokens, sum(e.learned for e in examples))
        return {**figures, "flops": flops, "computed": plan.tokens}
    batches = PreferenceBatches(examples)
    trainer = PreparedDpoTrainer(
        model=model, args=DPOConfig(**arguments, precompute_ref_log_probs=True),
        data_collator=batches, violations=[e.violation for e in examples], **common,
    )  # fmt: skip

    def reference() -> None:
        batches.reference = reference_log_probs(
            trainer.model, examples, ["all"] * len(examples),
            budget=prepared.hardware.tokens, layout=prepared.layout,
        )  # fmt: skip

    figures = _timed(trainer, reference)
    scored = sum(len(e.chosen_ids) + len(e.rejected_ids) for e in examples)
    flops = _flops(trainer.model, "dpo", plan.tokens, scored)
    return {**figures, "flops": flops, "computed": plan.tokens}


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(_run(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
    else:
        main()
