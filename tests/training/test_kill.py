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


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    build(DataSettings(worlds=["files"], traces=24, pairs=4, tools=(2, 3)), folder / "set")
    save_tiny(folder / "tiny", max_position_embeddings=4096)
    return folder


def start(place: Path, name: str) -> subprocess.Popen[bytes]:
    training = {
        "lora": {"rank": 4, "alpha": 8, "dropout": 0.1},
        "hardware": {"dtype": "float32", "device": "cpu", "threads": 1},
        "sft": {"batch_size": 2, "learning_rate": 1e-2, "save_every": 1},
    }
    job = Job(
        step="sft", model=ModelSettings(path=str(place / "tiny")), data=place / "set/sft.jsonl",
        training=TrainingSettings.model_validate(training), out=place / name,
    )  # fmt: skip
    file = place / f"{name}.json"
    file.write_text(job.model_dump_json())
    return subprocess.Popen([sys.executable, "-m", "tooldrill.training.jobs", str(file)])


def curve(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "curve.jsonl").read_text().splitlines()]


def step(folder: Path) -> int:
    try:
        done: int = json.loads((folder / "progress.json").read_text())[0]
    except FileNotFoundError:
        return 0
    return done


def test_kill_9_and_resume(place: Path) -> None:
    assert start(place, "whole").wait() == 0
    # Killed three times: as soon as it has made a step, so at whatever it does then.
    reached = 0
    for delay in (0.0, 0.05, 0.11):
        child = start(place, "killed")
        while step(place / "killed") <= reached and child.poll() is None:
            time.sleep(0.002)
        time.sleep(delay)
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert not (place / "killed/adapter").exists()
        reached = step(place / "killed")
    kept = latest_checkpoint(place / "killed/checkpoints")
    assert kept is not None
    assert start(place, "killed").wait() == 0
    # Dropout is on, so the state of the random numbers must have come back, too.
    assert curve(place / "killed") == pytest.approx(curve(place / "whole"), rel=1e-4)
    adapters = [place / name / "adapter/adapter_model.safetensors" for name in ("whole", "killed")]
    whole, killed = map(load_file, adapters)
    for name, weights in whole.items():
        torch.testing.assert_close(killed[name], weights, rtol=1e-3, atol=1e-5)
