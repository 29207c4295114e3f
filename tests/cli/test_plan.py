"""What `run --dry-run` says under its table: taken for granted, unknown, too much."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from published_shapes import MODELS
from rich.console import Console

from tooldrill import estimates, training_memory
from tooldrill.cli import plan
from tooldrill.config import RunConfig
from tooldrill.machine import Gpu, Machine
from tooldrill.pipeline import Run
from tooldrill.stages import STAGES

GB = 10**9
MACHINE = Machine(cores=4, threads=4, memory=64 * GB, available=60 * GB, bf16=False, gpus=())


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    def have(available: float, *gpus: float) -> None:
        found = replace(
            MACHINE, available=int(available), gpus=tuple(Gpu("a card", int(g)) for g in gpus)
        )
        for module in (estimates, training_memory, plan):
            monkeypatch.setattr(module, "this_machine", lambda: found)

    return have


def _weights(path: Path, config: dict[str, Any]) -> None:
    """As many tensors as layers, as wide as the widest: a file with room, which holds nothing."""
    widest = max(value for value in config.values() if type(value) is int)
    tensors = {
        f"layer.{n}": {"dtype": "F32", "shape": [widest, 0], "data_offsets": [0, 0]}
        for n in range(config["num_hidden_layers"])
    }
    header = json.dumps(tensors).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def shown(tmp_path: Path, name: str = "smollm2-135m", **changes: Any) -> str:
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(MODELS[name]))
    _weights(folder / "model.safetensors", MODELS[name])
    values = {"name": "a", "runs": str(tmp_path), "model": {"path": str(folder)}, **changes}
    run = Run(RunConfig.model_validate(values))
    stages = [stage for stage in STAGES if stage.enabled(run)]
    console = Console(width=250, file=StringIO())
    for part in plan.plan_table(run, stages, force=False):
        console.print(part)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_gpus_need_is_compared_with_the_gpu(machine: Any, tmp_path: Path) -> None:
    machine(60 * GB, 6 * GB)
    small = shown(tmp_path, "qwen3-4b")
    assert "sft needs " in small and "and the GPU has 6.00 GB" in small
    assert "gradient_checkpointing=true" in small
    # A large card beside little memory is enough for training, and not for export.
    machine(4 * GB, 80 * GB)
    large = shown(tmp_path, "qwen3-4b")
    assert "sft needs" not in large and "dpo needs" not in large
    assert "export needs" in large and "4.00 GB are free" in large
    assert "how long the GPU takes" in large


def test_the_card_that_is_set_is_the_one(machine: Any, tmp_path: Path) -> None:
    machine(60 * GB, 6 * GB, 80 * GB)
    first, second = (
        shown(tmp_path, "qwen3-4b", training={"hardware": {"device": device}})
        for device in ("cuda:0", "cuda:1")
    )
    assert "sft needs" in first
    assert "sft needs" not in second


def test_processes_on_one_processor_need_as_much_each(machine: Any, tmp_path: Path) -> None:
    machine(5 * GB)
    hardware = {"tokens": 2048, "gradient_checkpointing": False}
    alone = shown(tmp_path, training={"hardware": hardware})
    assert "sft needs" not in alone and " x " not in alone
    launcher = "torchrun --nproc-per-node 3"
    three = shown(tmp_path, training={"hardware": hardware, "launcher": launcher})
    assert "3 x " in three
    assert "GB for each process, and 1.67 GB are free" in three
    unknown = shown(tmp_path, training={"launcher": "accelerate launch"})
    assert "memory is that of one process" in unknown


def test_whether_prefixes_are_shared_is_told(machine: Any, tmp_path: Path) -> None:
    machine(60 * GB)
    assert "share prefixes" not in shown(tmp_path)
    assert "cannot share prefixes: each row is computed whole" in shown(tmp_path, "lfm2-1.2b")


def test_rounds_on_a_gpu_do_not_make_the_model_absent(machine: Any, tmp_path: Path) -> None:
    machine(60 * GB, 80 * GB)
    text = shown(tmp_path, training={"rounds": 1})
    assert "not on this machine yet" not in text
    assert " GPU" in next(line for line in text.splitlines() if line.startswith("│ rounds"))


def test_a_config_in_other_words_is_told_apart_from_an_absent_one(
    machine: Any, tmp_path: Path
) -> None:
    machine(60 * GB)
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    assert "names its sizes in a way not known here" in shown(tmp_path, model={"path": str(folder)})
