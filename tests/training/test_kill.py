"""A run that is killed at any moment goes on as if it had not been."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_llama import save_tiny

from tooldrill.data.sets.build import build
from tooldrill.data.settings import DataSettings
from tooldrill.training.checkpoints import latest_checkpoint
from tooldrill.training.jobs import Job
from tooldrill.training.settings import ModelSettings, TrainingSettings

pytestmark = pytest.mark.slow

# What a run needs to go on.
WHOLE = {
    "adapter_config.json", "adapter_model.safetensors", "optimizer.pt", "scheduler.pt",
    "rng_state.pth", "trainer_state.json", "complete",
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    data = DataSettings(worlds=["files"], traces=24, pairs=24, tools=(2, 3), workers=1)
    build(data, folder / "set")
    save_tiny(folder / "tiny", max_position_embeddings=4096)
    return folder


def start(place: Path, name: str, step: str) -> subprocess.Popen[bytes]:
    training = {
        "lora": {"rank": 4, "alpha": 8, "dropout": 0.1},
        "hardware": {"dtype": "float32", "device": "cpu", "threads": 1},
        "sft": {"batch_size": 2, "learning_rate": 1e-2, "save_every": 1},
        "dpo": {"batch_size": 2, "learning_rate": 1e-2, "save_every": 1, "collapse": None},
    }
    job = Job(
        step=step, model=ModelSettings(path=str(place / "tiny")), data=place / f"set/{step}.jsonl",
        training=TrainingSettings.model_validate(training), out=place / name,
        sft_adapter=place / "sft whole/adapter",
    )  # fmt: skip
    file = place / f"{name}.json"
    file.write_text(job.model_dump_json())
    environment = {**os.environ, "TOOLDRILL_CACHE": str(place / "cache")}
    return subprocess.Popen(
        [sys.executable, "-m", "tooldrill.training.jobs", str(file)], env=environment
    )


def curve(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "curve.jsonl").read_text().splitlines()]


def steps_done(folder: Path) -> int:
    try:
        done: int = json.loads((folder / "progress.json").read_text())[0]
    except FileNotFoundError:
        return 0
    return done


def is_writing(folder: Path, after: int) -> bool:
    """Whether a checkpoint of a later step is there, in part."""
    return any(
        int(path.name.partition("-")[2]) > after and not (path / "complete").is_file()
        for path in (folder / "checkpoints").glob("checkpoint-*")
    )


@pytest.mark.parametrize("step", ["sft", "dpo"])
def test_kill_9_and_resume(step: str, place: Path) -> None:
    whole, killed = place / f"{step} whole", place / f"{step} killed"
    assert start(place, whole.name, step).wait() == 0
    # As soon as it has made a step, so at whatever it does then; and while it writes a checkpoint.
    reached = 0
    for moment in (0.0, 0.05, None):
        child = start(place, killed.name, step)
        while child.poll() is None:
            if steps_done(killed) > reached if moment is not None else is_writing(killed, reached):
                break
            time.sleep(0.001)
        time.sleep(moment or 0.0)
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert not (killed / "adapter").exists()
        reached = steps_done(killed)
    kept = latest_checkpoint(killed / "checkpoints")
    assert kept is not None
    for path in (killed / "checkpoints").glob("checkpoint-*"):
        assert {file.name for file in path.iterdir()} >= WHOLE
    assert start(place, killed.name, step).wait() == 0
    # Dropout is on, so the state of the random numbers must have come back, too.
    assert curve(killed) == pytest.approx(curve(whole), rel=1e-4)
    wanted, found = (
        load_file(folder / "adapter/adapter_model.safetensors") for folder in (whole, killed)
    )
    for name, weights in wanted.items():
        torch.testing.assert_close(found[name], weights, rtol=1e-3, atol=1e-5)
