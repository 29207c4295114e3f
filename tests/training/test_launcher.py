"""Several processes learn what one learns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_llama import save_tiny

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.sets.build import build
from tooldrill.data.settings import DataSettings
from tooldrill.training.jobs import Job, run_job
from tooldrill.training.settings import ModelSettings, TrainingSettings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("launched")
    build(DataSettings(worlds=["files"], traces=12, pairs=12, tools=(2, 3)), folder / "set")
    save_tiny(folder / "tiny", max_position_embeddings=4096)
    return folder


def job(place: Path, name: str, launcher: str | None, step: str = "sft") -> Job:
    training = TrainingSettings.model_validate(
        {
            "launcher": launcher,
            "lora": {"rank": 4, "alpha": 8},
            "hardware": {"dtype": "float32", "device": "cpu", "tokens": 10_000, "threads": 1},
            "sft": {"batch_size": 6, "learning_rate": 1e-2, "save_every": 1},
            "dpo": {"batch_size": 6, "learning_rate": 1e-2},
        }
    )
    return Job(
        step=step, model=ModelSettings(path=str(place / "tiny")), training=training,
        data=place / f"set/{step}.jsonl", out=place / name, sft_adapter=place / "one/adapter",
    )  # fmt: skip


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "curve.jsonl").read_text().splitlines()]


def test_two_processes_learn_what_one_learns(place: Path) -> None:
    told: list[tuple[int, int]] = []
    run_job(job(place, "one", None))
    run_job(
        job(place, "two", "torchrun --nproc-per-node 2"),
        lambda done, total, note="": told.append((done, total)),
    )
    assert len(losses(place / "one")) == 2
    assert losses(place / "two") == pytest.approx(losses(place / "one"), rel=1e-4)
    one, two = (load_file(place / n / "adapter/adapter_model.safetensors") for n in ("one", "two"))
    for name, weights in one.items():
        torch.testing.assert_close(two[name], weights, rtol=1e-3, atol=1e-5)
    assert told[-1] == (2, 2)

    # The packs of the two processes hold different numbers of pairs.
    run_job(job(place, "dpo-one", None, "dpo"))
    run_job(job(place, "dpo-two", "torchrun --nproc-per-node 2", "dpo"))
    assert losses(place / "dpo-two") == pytest.approx(losses(place / "dpo-one"), rel=1e-4)


def test_accelerate_launches_too(place: Path) -> None:
    """On a CPU it starts one process, whatever is asked; several need its GPU or MPI launchers."""
    run_job(job(place, "accelerated", "accelerate launch --cpu --num_processes 1"))
    assert losses(place / "accelerated") == pytest.approx(losses(place / "one"), rel=1e-4)


def test_what_a_process_says_is_wrong_is_what_the_user_reads(place: Path) -> None:
    wrong = job(place, "three", "torchrun --nproc-per-node 7")
    with pytest.raises(TooldrillError, match="7 processes cannot share a step of 6 examples"):
        run_job(wrong)


def test_a_launcher_that_is_not_there_is_named(place: Path) -> None:
    with pytest.raises(TooldrillError, match="cannot start nolauncher"):
        run_job(job(place, "four", "nolauncher --all"))
