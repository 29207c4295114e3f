"""Curves reach the trackers that are named, on this machine and without an account."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_llama import save_tiny

from tooldrill.data.sets.build import build
from tooldrill.data.settings import DataSettings

FILES = {"wandb": "*.wandb", "trackio": "*.db*"}
# In a process of its own: trackers write what is left when it ends.
TRAIN = """
import sys
from pathlib import Path
from tooldrill.training.settings import ModelSettings, TrainingSettings
from tooldrill.training.sft import train_sft

tracker, folder = sys.argv[1], Path(sys.argv[2])
settings = TrainingSettings.model_validate({
    "lora": {"rank": 4}, "report_to": [tracker], "sft": {"batch_size": 2},
    "hardware": {"device": "cpu", "dtype": "float32", "threads": 1},
})
model = ModelSettings(path=str(folder / "tiny"))
train_sft(model, settings, folder / "d/sft.jsonl", folder / "runs/demo/sft")
"""


@pytest.mark.slow
@pytest.mark.parametrize("tracker", FILES)
def test_a_run_is_kept_by_its_name(tracker: str, tmp_path: Path) -> None:
    pytest.importorskip(tracker, reason=f"the extra {tracker} is not installed")
    build(
        DataSettings(worlds=["files"], traces=4, pairs=2, tools=(2, 3), workers=1), tmp_path / "d"
    )
    save_tiny(tmp_path / "tiny", max_position_embeddings=4096)
    kept = {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path), "TRACKIO_DIR": str(tmp_path)}
    command = [sys.executable, "-c", TRAIN, tracker, str(tmp_path)]
    subprocess.run(command, env=os.environ | kept, check=True, timeout=300)
    said = b"".join(path.read_bytes() for path in tmp_path.rglob(FILES[tracker]))
    for words in (b"demo sft", b"train/loss"):
        assert words in said
