"""`tooldrill eval --adapter`: a base GGUF with its adapter does what the merged model does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_adapters import save_models

from tooldrill.agent.hashing import sha256_file
from tooldrill.eval.results import Results

pytestmark = pytest.mark.slow

CONFIG = """
name: tiny
eval:
  tasks: 4
  tools: [2, 2]
  loop: {protocol: react_json, max_steps: 2, max_reply_tokens: 48}
  engine: {context: 8192, parallel: 2, threads: 1, gpu_layers: 0}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("adapters")
    save_models(made)
    (made / "tiny.yaml").write_text(CONFIG)
    return made


def evaluated(folder: Path, out: str, *options: str) -> Results:
    code = "import sys; from tooldrill.cli.main import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, "eval", "tiny.yaml", "--out", out, *options],
        cwd=folder, env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Results.load(folder / out)


def replies(results: Results) -> list[list[str]]:
    return [[step.reply for step in episode.steps] for episode in results.episodes]


def test_base_and_adapter_reply_as_the_merged_model(folder: Path) -> None:
    merged = evaluated(folder, "merged.json", "--model", "merged.gguf")
    adapted = evaluated(folder, "a.json", "--model", "base.gguf", "--adapter", "lora.gguf")
    base = evaluated(folder, "base.json", "--model", "base.gguf")
    assert all(len(texts) == 2 and all(texts) for texts in replies(merged))
    assert replies(adapted) == replies(merged)
    assert replies(adapted) != replies(base)
    assert adapted.engine is not None and adapted.engine.sha256 == base.engine.sha256  # type: ignore[union-attr]
    (info,) = adapted.engine.adapters
    assert (info.path, info.scale) == ("lora.gguf", 1.0)
    assert info.sha256 == sha256_file(folder / "lora.gguf")
    assert adapted.condition.engine.adapters == ["lora.gguf"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "base.gguf", "--adapter", "gone.gguf"], "no GGUF file at gone.gguf"),
        (["--adapter", "lora.gguf"], "an adapter needs the model it is for"),
        (
            ["--endpoint", "http://127.0.0.1:9/v1", "--adapter", "lora.gguf"],
            "an adapter needs the model it is for",
        ),
    ],
)
def test_what_an_adapter_needs(folder: Path, options: list[str], said: str) -> None:
    code = "import sys; from tooldrill.cli.main import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, "eval", "tiny.yaml", "--out", "o.json", *options],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"error: {said}" in done.stderr
    assert "next:  " in done.stderr
