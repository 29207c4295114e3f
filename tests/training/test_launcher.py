"""Several processes learn what one learns."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import psutil
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


def job(place: Path, name: str, launcher: str | None, step: str = "sft", **hardware: Any) -> Job:
    training = TrainingSettings.model_validate(
        {
            "launcher": launcher,
            "lora": {"rank": 4, "alpha": 8},
            "hardware": {
                "dtype": "float32", "device": "cpu", "tokens": 10_000, "threads": 1, **hardware,
            },
            "sft": {"batch_size": 6, "learning_rate": 1e-2, "save_every": 1},
            "dpo": {"batch_size": 6, "learning_rate": 1e-2, "save_every": 1},
        }
    )  # fmt: skip
    return Job(
        step=step, model=ModelSettings(path=str(place / "tiny")), training=training,
        data=place / f"set/{step}.jsonl", out=place / name, sft_adapter=place / "one/adapter",
    )  # fmt: skip


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "curve.jsonl").read_text().splitlines()]


def told(folder: Path) -> list[str]:
    choices: list[str] = json.loads((folder / "summary.json").read_text())["choices"]
    return choices


def assert_same_adapter(found: Path, wanted: Path) -> None:
    two, one = (load_file(folder / "adapter_model.safetensors") for folder in (found, wanted))
    assert two.keys() == one.keys()
    for name, weights in one.items():
        torch.testing.assert_close(two[name], weights, rtol=1e-3, atol=1e-5)


def test_two_processes_learn_what_one_learns(place: Path) -> None:
    steps: list[tuple[int, int]] = []
    run_job(job(place, "one", None))
    run_job(
        job(place, "two", "torchrun --nproc-per-node 2"),
        lambda done, total, note="": steps.append((done, total)),
    )
    assert len(losses(place / "one")) == 2
    assert losses(place / "two") == pytest.approx(losses(place / "one"), rel=1e-4)
    assert_same_adapter(place / "two/adapter", place / "one/adapter")
    assert steps[-1] == (2, 2)

    # The packs of the two processes hold different numbers of pairs.
    run_job(job(place, "dpo-one", None, "dpo"))
    run_job(job(place, "dpo-two", "torchrun --nproc-per-node 2", "dpo"))
    assert losses(place / "dpo-two") == pytest.approx(losses(place / "dpo-one"), rel=1e-4)
    # What is told by class is of all pairs, whichever process had them.
    for one, two in zip(
        told_by_class(place / "dpo-one"), told_by_class(place / "dpo-two"), strict=True
    ):
        assert two == pytest.approx(one, rel=1e-3, abs=1e-4)


def told_by_class(folder: Path) -> list[dict[str, float]]:
    lines = (folder / "curve.jsonl").read_text().splitlines()
    # Not the accuracy: of margins that are zero at the first step, rounding decides the sign.
    own = ("margin/", "length_difference/", "chosen_gain")
    return [
        {key: value for key, value in json.loads(line).items() if key.startswith(own)}
        for line in lines
    ]


def test_accelerate_launches_too(place: Path) -> None:
    """Several on CPUs with `--multi_gpu`, which is its word for several processes here."""
    run_job(job(place, "accelerated", "accelerate launch --multi_gpu --num_processes 2"))
    assert losses(place / "accelerated") == pytest.approx(losses(place / "one"), rel=1e-4)
    assert "processes: 2" in told(place / "accelerated")


FSDP = """
distributed_type: FSDP
num_machines: 1
num_processes: 2
mixed_precision: "no"
fsdp_config:
  fsdp_version: 2
  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP
  fsdp_reshard_after_forward: true
  fsdp_state_dict_type: SHARDED_STATE_DICT
"""


def test_a_model_cut_among_processes_learns_the_same(place: Path) -> None:
    config, script = place / "fsdp.yaml", Path(__file__).with_name("fsdp_on_cpu.py")
    config.write_text(FSDP)
    launcher = f"accelerate launch --config_file {config} {script}"
    sharded = job(place, "fsdp", launcher, gradient_checkpointing=True)
    run_job(sharded)
    assert "processes: 2, each with a part of the model (FSDP)" in told(place / "fsdp")
    assert losses(place / "fsdp") == pytest.approx(losses(place / "one"), rel=1e-4)
    assert_same_adapter(place / "fsdp/adapter", place / "one/adapter")

    # A checkpoint of shards holds the whole adapter, too, and a stopped run goes on from it.
    kept = place / "fsdp/checkpoints/checkpoint-2"
    assert (kept / "pytorch_model_fsdp_0/.metadata").is_file()
    assert_same_adapter(kept, place / "one/adapter")
    shutil.rmtree(kept)
    shutil.rmtree(place / "fsdp/adapter")
    run_job(sharded)
    assert losses(place / "fsdp") == pytest.approx(losses(place / "one"), rel=1e-4)
    assert_same_adapter(place / "fsdp/adapter", place / "one/adapter")

    run_job(job(place, "fsdp-dpo", launcher, "dpo"))
    assert losses(place / "fsdp-dpo") == pytest.approx(losses(place / "dpo-one"), rel=1e-4)
    assert_same_adapter(place / "fsdp-dpo/adapter", place / "dpo-one/adapter")


def test_without_gpus_fsdp_is_told_to_be_something_else(place: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    (place / "fsdp.yaml").write_text(FSDP)
    run_job(job(place, "whole", f"accelerate launch --config_file {place / 'fsdp.yaml'}"))
    assert any("Accelerate has no FSDP for CPUs" in line for line in told(place / "whole"))
    assert losses(place / "whole") == pytest.approx(losses(place / "one"), rel=1e-4)


@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_process_that_the_system_kills_is_told_of(rank: str, place: Path) -> None:
    killed: list[int] = []

    def kill(done: int, total: int, note: str = "") -> None:
        if not killed:
            killed.append(process_of(rank))
            os.kill(killed[0], signal.SIGKILL)

    with pytest.raises(TooldrillError, match=r"was killed \(signal 9\)") as caught:
        run_job(job(place, f"killed-{rank}", "torchrun --nproc-per-node 2"), kill)
    assert "training.hardware.gradient_checkpointing=true" in caught.value.next_step
    assert not (place / f"killed-{rank}/adapter").exists()


def process_of(rank: str) -> int:
    return next(
        child.pid
        for child in psutil.Process().children(recursive=True)
        if child.environ().get("RANK") == rank and "tooldrill.training.jobs" in child.cmdline()
    )


def test_what_a_process_says_is_wrong_is_what_the_user_reads(place: Path) -> None:
    wrong = job(place, "three", "torchrun --nproc-per-node 7")
    with pytest.raises(TooldrillError, match="7 processes cannot share a step of 6 examples"):
        run_job(wrong)


def test_a_launcher_that_is_not_there_is_named(place: Path) -> None:
    with pytest.raises(TooldrillError, match="cannot start nolauncher"):
        run_job(job(place, "four", "nolauncher --all"))
