"""Curves reach the trackers that are named, on this machine and without an account."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_llama import save_tiny

from tooldrill.data.sets.build import build
from tooldrill.data.settings import DataSettings
from tooldrill.training.settings import ModelSettings, TrainingSettings
from tooldrill.training.sft import train_sft

FILES = {"wandb": "*.wandb", "trackio": "*.db"}


@pytest.mark.slow
@pytest.mark.parametrize("tracker", FILES)
def test_a_run_is_kept_by_its_name(
    tracker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(tracker, reason=f"the extra {tracker} is not installed")
    for name, value in (
        ("WANDB_MODE", "offline"), ("WANDB_DIR", tmp_path), ("TRACKIO_DIR", tmp_path / "kept"),
    ):  # fmt: skip
        monkeypatch.setenv(name, str(value))
    build(
        DataSettings(worlds=["files"], traces=4, pairs=2, tools=(2, 3), workers=1), tmp_path / "d"
    )
    settings = TrainingSettings.model_validate(
        {
            "lora": {"rank": 4},
            "report_to": [tracker],
            "hardware": {"device": "cpu", "dtype": "float32", "threads": 1},
            "sft": {"batch_size": 2},
        }
    )
    model = ModelSettings(path=str(save_tiny(tmp_path / "tiny", max_position_embeddings=4096)))
    train_sft(model, settings, tmp_path / "d/sft.jsonl", tmp_path / "runs/demo/sft")
    files = [path for path in tmp_path.rglob(FILES[tracker]) if path.stat().st_size]
    said = b"".join(path.read_bytes() for path in files)
    for words in (b"demo sft", b"train/loss"):
        assert words in said
