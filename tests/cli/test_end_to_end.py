"""The whole pipeline on the real embedded model, killed in the middle of training and gone on with.

Small in every number, real in every part. How good the trained model is, is not judged here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from real_llama_server import real_server

from tooldrill.agent.episode import Episode
from tooldrill.eval.results import Results

pytestmark = pytest.mark.slow

CONFIG = """
name: tiny
seed: 1
data: {traces: 12, pairs: 6, tools: [2, 3]}
training:
  sft: {max_steps: 3, batch_size: 1, save_every: 1}
  dpo: {max_steps: 1, batch_size: 1}
  rounds: {count: 1, tasks: 6}
export: {quantizations: [Q8_0, Q4_K_M]}
eval:
  tasks: 4
  tools: [2, 3]
  loop: {max_steps: 2, max_reply_tokens: 32}
  engine: {parallel: 4}
"""
MODELS = ("base", "sft", "dpo", "rounds")
ENVIRONMENT = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1"}
COMMAND = [sys.executable, "-c", "from tooldrill.cli.main import main; main()"]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=ENVIRONMENT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def finish(folder: Path, *arguments: str) -> str:
    process = start(folder, *arguments)
    output, _ = process.communicate(timeout=900)
    assert process.returncode == 0, output
    return output


def kill_when(process: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
    """Kills without a warning once something has happened; it must still be at work then."""
    deadline = time.monotonic() + 600
    while not happened():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a run that was killed while it trained, and what the second start printed."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "tiny.yaml").write_text(CONFIG)
    run = folder / "runs/tiny"
    first = start(folder, "run", "tiny.yaml")
    kill_when(first, lambda: any((run / "sft/checkpoints").glob("checkpoint-*/complete")))
    assert not (run / "sft/manifest.json").exists()
    assert (run / "data/manifest.json").exists()
    return run, finish(folder, "run", "tiny.yaml")


def manifest(run: Path, stage: str) -> dict:  # type: ignore[type-arg]
    return json.loads((run / stage / "manifest.json").read_text())  # type: ignore[no-any-return]


def test_a_killed_run_goes_on(run_folder: tuple[Path, str]) -> None:
    run, output = run_folder
    lines = output.splitlines()
    assert "data: up to date" in lines
    assert "sft: was interrupted, goes on" in lines
    assert manifest(run, "sft")["attempts"] == 2
    assert manifest(run, "dpo")["attempts"] == 1


def test_every_stage_left_its_record(run_folder: tuple[Path, str]) -> None:
    run, _ = run_folder
    for stage in ("data", "sft", "dpo", "rounds", "export", "eval", "report"):
        record = manifest(run, stage)
        assert record["stage"] == stage
        assert record["outputs"]
        assert record["seconds"] > 0
    assert "sft/adapter/adapter_model.safetensors" in manifest(run, "dpo")["inputs"]
    left = [path for path in run.rglob("*") if ".tmp" in path.name or "building" in path.name]
    assert not left


def test_the_base_is_evaluated_in_one_quantization_and_the_product_in_all(
    run_folder: tuple[Path, str],
) -> None:
    run, _ = run_folder
    count = {name: len(list((run / "export" / name).glob("*.gguf"))) for name in ("base", "sft")}
    assert count == {"base": 1, "sft": 1}
    final = sorted(path.name.rpartition("-")[2] for path in (run / "export/rounds").glob("*.gguf"))
    assert final == ["Q4_K_M.gguf", "Q8_0.gguf", "lora.gguf"]


def test_a_round_learns_from_the_models_own_violations(run_folder: tuple[Path, str]) -> None:
    run, _ = run_folder
    told = json.loads((run / "rounds/1/round.json").read_text())
    assert told["episodes"] == 6
    lines = (run / "rounds/1/pairs/dpo.jsonl").read_text().splitlines()
    pairs = [json.loads(line) for line in lines]
    own = sum(told["own_pairs"].values())
    assert own > 0
    assert len(pairs) == own + told["made_pairs"] == own + min(own, 6)
    assert {pair["split"] for pair in pairs} == {"train"}
    assert "dpo/adapter/adapter_model.safetensors" in manifest(run, "rounds")["inputs"]
    # The file that played the round is gone, what it said is kept.
    assert not (run / "rounds/1/model").exists()
    assert (run / "rounds/1/loop/episodes.jsonl").is_file()


def test_all_models_met_the_same_tasks(run_folder: tuple[Path, str]) -> None:
    run, _ = run_folder
    results = [Results.load(run / f"eval/{name}.json") for name in MODELS]
    assert len({one.suite.sha256 for one in results}) == 1
    assert len({one.model.sha256 for one in results}) == len(MODELS)
    assert all(len(one.episodes) == 4 for one in results)


def test_the_end_shows_the_result_and_where_it_lies(run_folder: tuple[Path, str]) -> None:
    run, output = run_folder
    for words in ("discipline rate", "recovery", "success", "peak memory", "baseline not run"):
        assert words in output.lower()
    assert "report  runs/tiny/report/report.html" in output
    page = (run / "report/report.html").read_text()
    assert "<script src" not in page
    assert "tooldrill: tiny" in page
    assert (run / "report/report.md").is_file()


def test_the_product_may_be_dropped_in(run_folder: tuple[Path, str]) -> None:
    """Behind a real llama-server its calls are calls, and its prompts those of the training."""
    run, _ = run_folder
    real_server()
    (product,) = (run / "export/rounds").glob("*-Q8_0.gguf")
    output = finish(run.parents[1], "serve-check", str(product), "--log", str(run / "server.log"))
    assert "FAIL" not in output
    assert "ok   native     recognition: unicode and quotes" in output
    assert "ok   react_json object: unicode and quotes" in output
    (run / "server.log").unlink()


def test_a_second_run_does_nothing(run_folder: tuple[Path, str]) -> None:
    run, _ = run_folder
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    output = finish(run.parents[1], "run", "tiny.yaml")
    assert [line for line in output.splitlines() if line.endswith(": up to date")] == [
        f"{name}: up to date"
        for name in ("data", "sft", "dpo", "rounds", "export", "eval", "report")
    ]
    after = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    changed = {path.name for path in after if before.get(path) != after[path]}
    assert changed <= {".lock"}


def test_the_agent_works_with_the_exported_model(
    run_folder: tuple[Path, str], tmp_path: Path
) -> None:
    run, _ = run_folder
    (gguf,) = (run / "export/sft").glob("*.gguf")
    (tmp_path / "a.txt").write_text("one\n")
    options = ["--model", str(gguf), "--tools", "files", "--steps", "2", "--save", "episode.json"]
    process = subprocess.run(
        [*COMMAND, "agent", "Read a.txt", "--json", *options],
        cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    # How well three steps of training work is not judged here.
    assert process.returncode in (0, 1), process.stderr
    *told, ending = [json.loads(line) for line in process.stdout.splitlines()]
    kept = Episode.model_validate_json((tmp_path / "episode.json").read_text())
    # Whether a hint helped is known at the end only.
    assert [event["step"]["reply"] for event in told] == [step.reply for step in kept.steps]
    assert [event["step"]["observation"] for event in told] == [s.observation for s in kept.steps]
    assert ending["outcome"] == kept.outcome
    assert (process.returncode == 0) == (kept.conclusion is not None)
