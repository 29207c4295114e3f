"""Whoever writes to a full disk: one line, and nothing under the final name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from full_disk import can_mount, run_on
from tiny_llama import save_tiny

from tooldrill.data.sets.build import build
from tooldrill.data.settings import DataSettings

WRITERS = """
import json, sys
from pathlib import Path
import numpy as np, pyarrow as pa, pyarrow.parquet as pq, torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models
from tooldrill.agent.atomic import atomic_directory, atomic_path, write_text
from tooldrill.agent.errors import TooldrillError
from tooldrill.data.sets.writing import SetWriter

disk = Path(sys.argv[1])
big = np.random.default_rng(0).random((400, 400))
words = Tokenizer(models.WordLevel({f"word{n}": n for n in range(40_000)}, "word0"))
writers = {
    "text": lambda path: path.write_text("a" * 10**6),
    "safetensors": lambda path: save_file({"a": big}, path),
    "torch": lambda path: torch.save({"a": torch.from_numpy(big)}, path),
    "parquet": lambda path: pq.write_table(pa.table({"a": big.ravel()}), path),
    "tokenizer": lambda path: words.save(str(path)),
}
said = {}
for name, write in writers.items():
    for kind, opened in {"file": atomic_path, "folder": atomic_directory}.items():
        try:
            with opened(disk / name) as place:
                write(place if kind == "file" else place / "inner")
        except TooldrillError as error:
            said[f"{name} {kind}"] = [error.message, sorted(map(str, disk.iterdir()))]
print(json.dumps(said))
"""
TRAIN = """
import sys
from pathlib import Path
from tooldrill.agent.errors import TooldrillError
from tooldrill.training.settings import ModelSettings, TrainingSettings
from tooldrill.training.sft import train_sft

model, data, disk = map(Path, sys.argv[1:])
training = TrainingSettings.model_validate({
    "lora": {"rank": 64}, "hardware": {"device": "cpu", "dtype": "float32", "threads": 1},
    "report_to": [], "sft": {"batch_size": 2, "max_steps": 2, "save_every": 1},
})
try:
    train_sft(ModelSettings(path=str(model)), training, data, disk / "sft")
except TooldrillError as error:
    print(error.message)
print(sorted(p.name for p in (disk / "sft").iterdir()), [*disk.glob("sft/*/*/complete")])
"""


@pytest.fixture(autouse=True)
def allowed(tmp_path: Path) -> None:
    if not can_mount(tmp_path):
        pytest.skip("no mounts of one's own here")


@pytest.mark.slow
def test_every_writer_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    done = run_on(tmp_path / "disk", "256k", WRITERS, str(tmp_path / "disk"))
    said = json.loads(done.stdout or "{}")
    assert len(said) == 10, done.stderr[-800:]
    for who, (message, left) in said.items():
        assert message.startswith("the disk is full while writing"), who
        assert "\n" not in message
        assert left == [], who


@pytest.mark.slow
def test_a_checkpoint_on_a_full_disk_is_one_line_and_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "TOOLDRILL_CACHE", str(tmp_path / "cache"))
    build(
        DataSettings(worlds=["files"], traces=8, pairs=8, tools=(2, 3), workers=1), tmp_path / "set"
    )
    model = save_tiny(tmp_path / "tiny", max_position_embeddings=4096)
    disk, data = tmp_path / "disk", tmp_path / "set/sft.jsonl"
    done = run_on(disk, "640k", TRAIN, str(model), str(data), str(disk))
    first, second = done.stdout.splitlines()
    assert first.startswith("the disk is full while writing"), done.stderr[-800:]
    assert "'adapter'" not in second
    assert second.endswith(" []")
