"""What each share of the default mixture does: `make bench-mixture`.

Trains SmolLM2-135M once per variant and seed on small sets that differ in one share, and measures
each on the same conversations from held-out worlds, reply by reply, the history given:

- nats: negative log-probability per token of the oracle's reply, by the kind of task; `renamed` are
  tasks whose tools and parameters have other names;
- exact: replies that greedy decoding would write letter by letter as the oracle does, where
  something is to be done;
- preferred: pairs whose right reply is more probable than its corrupted twin.

These need one forward pass and no luck, so they tell small differences apart where solved tasks do
not. A change stands beside the default's own spread between seeds. Results are kept in OUT
(default: runs/mixture), one file each; a stopped bench goes on. Not a test, takes hours.

    python tests/bench/mixture.py [VARIANT...]       # default: all, in the order below
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from trl.trainer.utils import add_fused_lm_head

from tooldrill.agent.atomic import write_text
from tooldrill.data.pairs import make_pairs
from tooldrill.data.sets.build import build
from tooldrill.data.settings import DataSettings
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import Task
from tooldrill.data.traces import Trace, record
from tooldrill.training.adapter import load_adapter
from tooldrill.training.engine.batches import ExampleBatches, PreferenceBatches
from tooldrill.training.engine.learned_head import score_learned_only
from tooldrill.training.engine.packing import plan_steps
from tooldrill.training.examples import IGNORED, Preference
from tooldrill.training.settings import (
    HardwareSettings,
    ModelSettings,
    SftSettings,
    TrainingSettings,
)
from tooldrill.training.setup import Texts, prepare_model, prepare_texts
from tooldrill.training.sft import train_sft

OUT = Path(os.environ.get("OUT", "runs/mixture"))
SEEDS = [int(s) for s in os.environ.get("SEEDS", "0,1").split(",")]
SHARED: dict[str, Any] = {"traces": 240, "pairs": 1, "tools": (2, 4), "longest": 2600, "workers": 1}
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "masking 0": {"masking": 0.0},
    "masking 0.6": {"masking": 0.6},
    "recovery 0": {"recovery": 0.0},
    "recovery 0.4": {"recovery": 0.4},
    "restraint 0": {"restraint": 0.0},
    "restraint 0.3": {"restraint": 0.3},
    "voices 0": {"voices": 0.0},
    "situations 0": {"situations": 0.0},
    "forge 0": {"mixture": {"worlds": 1, "forge": 0}},
    "worlds 0": {"mixture": {"worlds": 0, "forge": 1}},
}
TRAINING = TrainingSettings(
    max_length=2048,
    hardware=HardwareSettings(dtype="float32"),
    sft=SftSettings(learning_rate=1e-3, save_every=1000),
)
KINDS = ("act", "recover", "restrain", "renamed")
HELD_OUT = ("calendar", "contacts", "kitchen")


def main() -> None:
    """Runs what is missing, then prints the table."""
    chosen = sys.argv[1:] or list(VARIANTS)
    for seed in SEEDS:
        for name in chosen:
            path = OUT / f"{name.replace(' ', '-')}-{seed}.json"
            if not path.is_file():
                print(f"{name}, seed {seed}", file=sys.stderr)
                write_text(path, json.dumps(_run(name, seed, path.with_suffix(""))))
    _print_table(chosen)


def _run(name: str, seed: int, folder: Path) -> dict[str, list[Any]]:
    data = DataSettings(**{**SHARED, **VARIANTS[name], "seed": seed})
    build(data, folder / "data")
    training = TRAINING.model_copy(
        update={"sft": TRAINING.sft.model_copy(update={"seed": seed})}, deep=True
    )
    train_sft(ModelSettings(), training, folder / "data/sft.jsonl", folder / "sft", _progress)
    return measure(folder / "sft/adapter", folder)


def measure(adapter: Path, folder: Path) -> dict[str, list[Any]]:
    """Figures of every held-out reply and pair, in a fixed order: `replies` and `pairs`."""
    texts = prepare_texts(ModelSettings(), TRAINING, TRAINING.sft)
    model = _scored(adapter, texts, folder)
    traces = list(held_out())
    rows = make_pairs(traces, 240, "held out")
    pairs = [texts.encoder.preference(row, texts.protocols[0]) for row in rows]
    return {
        "replies": _replies(model, texts, traces) + _renamed(model, texts),
        "pairs": _pairs(model, pairs),
    }


def _scored(adapter: Path, texts: Texts, folder: Path) -> Any:
    """The model with the adapter, giving log-probabilities of learned positions."""
    prepared = prepare_model(texts.base, TRAINING, 2048, folder / "measure")
    model = load_adapter(prepared.model, adapter).eval()
    causal = model.get_base_model()
    add_fused_lm_head(causal, outputs=("log_probs", "entropy", "mean_logits", "is_top1"))
    score_learned_only(causal)
    return model


def held_out() -> Iterator[Trace]:
    """Traces in the held-out worlds, the same for every variant."""
    shares = {"recovery": 0.25, "restraint": 0.25, "voices": 0.5, "situations": 0.2}
    yield from _recorded(make_tasks(HELD_OUT, 150, "mixture", (2, 4), **shares))


def _renamed(model: Any, texts: Texts) -> list[Any]:
    """The replies of tasks whose tools and parameters have been renamed, as `renamed`."""
    shares = {"recovery": 0.0, "restraint": 0.0, "voices": 0.5, "masking": 1.0}
    traces = list(_recorded(make_tasks(HELD_OUT, 60, "renamed", (2, 4), **shares)))
    return [["renamed", *turn[1:]] for turn in _replies(model, texts, traces)]


def _recorded(tasks: list[Task]) -> Iterator[Trace]:
    for number, task in enumerate(tasks):
        trace = record(task, random.Random(f"mixture {number}"))
        if trace is not None and len(str(trace.row()["messages"])) < 5000:
            yield trace


def _replies(model: Any, texts: Texts, traces: list[Trace]) -> list[Any]:
    """For each learned turn: kind of the trace, whether it is exact, nats, tokens."""
    examples = [texts.encoder.example(trace.row(), texts.protocols[0]) for trace in traces]
    found: dict[int, list[Any]] = {}
    batches = ExampleBatches(examples)
    for members in _packs([example.rows for example in examples]):
        batch = batches([{"members": members}])
        output = _forward(model, batch["input_ids"], batch["attention_mask"], batch["labels"])
        for place, index in enumerate(members):
            learned = (batch["labels"][place, 1:] != IGNORED).tolist()
            found[index] = [
                [
                    str(traces[index].kind),
                    bool(output.is_top1[place, first:last].all()),
                    -output.log_probs[place, first:last].sum().item(),
                    last - first,
                ]
                for first, last in _runs(learned)
            ]
    return [turn for index in sorted(found) for turn in found[index]]


def _pairs(model: Any, pairs: list[Preference]) -> list[Any]:
    """For each pair: its violation class, and by how many nats the right reply is likelier."""
    found: dict[int, list[Any]] = {}
    batches = PreferenceBatches(pairs)
    for members in _packs([pair.rows for pair in pairs]):
        batch = batches([{"members": members, "share": 1.0}])
        labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, IGNORED)
        output = _forward(model, batch["input_ids"], batch["attention_mask"], labels)
        chosen, rejected = output.log_probs.sum(1).chunk(2)
        for place, index in enumerate(members):
            margin = (chosen[place] - rejected[place]).item()
            found[index] = [pairs[index].violation, margin]
    return [found[index] for index in sorted(found)]


def _packs(rows: list[list[list[int]]]) -> list[list[int]]:
    return plan_steps(rows, ["all"] * len(rows), batch_size=len(rows), budget=2048).packs


def _forward(model: Any, ids: Any, mask: Any, labels: Any) -> Any:
    with torch.no_grad():
        return model(input_ids=ids, attention_mask=mask, labels=labels, fused_lm_head=True)


def _runs(marks: list[bool]) -> Iterator[tuple[int, int]]:
    """Half-open stretches of true marks."""
    start = None
    for place, mark in enumerate([*marks, False]):
        if mark and start is None:
            start = place
        elif not mark and start is not None:
            yield start, place
            start = None


def _progress(done: int, total: int, note: str = "") -> None:
    sys.stderr.write(f"\r{done}/{total} {note}   ")


def figures(result: dict[str, list[Any]]) -> dict[str, float]:
    """The table's columns."""
    turns: dict[str, list[Any]] = defaultdict(list)
    for turn in result["replies"]:
        turns[turn[0]].append(turn)
    shown = {
        f"nats, {kind}": sum(t[2] for t in turns[kind]) / sum(t[3] for t in turns[kind])
        for kind in KINDS
    }
    exact = [right for kind, right, _, _ in result["replies"] if kind in ("act", "recover")]
    preferred = [margin > 0 for _, margin in result["pairs"]]
    return {
        **shown,
        "exact %": 100 * float(np.mean(exact)),
        "preferred %": 100 * float(np.mean(preferred)),
    }


def _print_table(names: list[str]) -> None:
    table: dict[str, list[dict[str, float]]] = {}
    for name in names:
        files = [OUT / f"{name.replace(' ', '-')}-{seed}.json" for seed in SEEDS]
        table[name] = [figures(json.loads(file.read_text())) for file in files if file.is_file()]
    columns = list(next(iter(table.values()))[0])
    print("| variant | " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * len(columns))
    for name, found in table.items():
        cells = [", ".join(f"{f[column]:.3f}" for f in found) for column in columns]
        print(f"| {name} | " + " | ".join(cells) + " |")


__all__ = ["Texts", "held_out", "measure"]

if __name__ == "__main__":
    main()
