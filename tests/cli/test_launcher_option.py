"""`train ... --launcher`: the command reaches the launcher, and the config need not know of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_llama import save_tiny
from typer.testing import CliRunner

from tooldrill.agent.errors import TooldrillError
from tooldrill.cli.app import app

CONFIG = """
name: a
runs: {folder}/runs
model: {{path: {folder}/tiny}}
data: {{worlds: [files], traces: 4, pairs: 2, tools: [2, 3], workers: 1}}
training:
  hardware: {{device: cpu, dtype: float32, threads: 1}}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("launched")
    save_tiny(folder / "tiny", max_position_embeddings=4096)
    path = folder / "run.yaml"
    path.write_text(CONFIG.format(folder=folder))
    built = CliRunner().invoke(app, ["data", "build", str(path)])
    assert built.exit_code == 0, built.output
    return path


@pytest.mark.parametrize("step", ["sft", "dpo"])
def test_it_is_what_starts_the_processes(step: str, config: Path) -> None:
    (config.parent / "runs/a/sft/adapter").mkdir(parents=True, exist_ok=True)
    command = ["train", step, str(config), "--launcher", "no-such-launcher 'with words'"]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, TooldrillError)
    assert result.exception.message.startswith("training.launcher: cannot start no-such-launcher")
