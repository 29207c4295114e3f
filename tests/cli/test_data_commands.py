"""`data ingest|teach|failures` as a user meets them: exit status, lines, files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tooldrill.data.from_models.teacher import training_tasks
from tooldrill.data.settings import DataSettings
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import open_task
from tooldrill.data.tasks.task import Task, TaskKind

SERVER = Path(__file__).parents[1] / "data" / "scripted_model.py"


def tooldrill(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", "from tooldrill.cli.main import main; main()", *arguments],
        capture_output=True, text=True, cwd=cwd, env=environment, timeout=120, check=False,
    )  # fmt: skip


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


LOG = [
    {"step": 1, "thought": "", "action": "read_file", "args": {"path": "a.txt"},
     "observation": "seven"},
    {"step": 2, "conclusion": "It says seven."},
]  # fmt: skip


@pytest.mark.parametrize("command", ["ingest", "teach", "failures"])
def test_every_command_has_help(tmp_path: Path, command: str) -> None:
    done = tooldrill("data", command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: tooldrill data {command}")


def test_ingest_says_what_it_kept_and_dropped(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text(json.dumps(LOG))
    (tmp_path / "more.jsonl").write_text('{"what": 1}\nnot json\n')
    arguments = ["data", "ingest", "log.json", "more.jsonl", "--out", "set",
                 "--tools", "world:files", "--prompt", "What is in a.txt?"]  # fmt: skip
    done = tooldrill(*arguments, "--report", "report.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{Path('set/sft.jsonl')}: 1 rows\n"
    assert "3 read, 1 kept (react 1)" in done.stderr
    assert "dropped 1: not_json (first more.jsonl:2)" in done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["read"], report["kept"], report["formats"]) == (3, 1, {"react": 1})
    assert set(report["dropped"]) == {"unknown_format", "not_json"}
    (row,) = read(tmp_path / "set/sft.jsonl")
    assert row["messages"][0]["content"] == "What is in a.txt?"
    again = tooldrill(*arguments, cwd=tmp_path)
    assert again.returncode == 2
    assert "set/sft.jsonl is there already" in again.stderr
    assert tooldrill(*arguments, "--force", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["ingest", "gone.jsonl", "--out", "o"], "no file at gone.jsonl"),
        (["ingest", "empty.jsonl", "--out", "o"], "none of 1 records could be used"),
        (["ingest", "empty.jsonl", "--out", "o", "--tools", "x:y"], "no tool source"),
        (["failures", "gone.json", "--out", "o"], "no file at gone.json"),
        (["teach", "--model", "gone.gguf", "--out", "o", "-n", "1"], "no GGUF file at gone.gguf"),
        (["teach", "data.seed=1", "--model", "m", "--out", "o"], "data.seed=1 overrides no config"),
        (
            [
                "teach",
                "--model",
                "m",
                "--endpoint",
                "http://127.0.0.1:9/v1",
                "--out",
                "o",
                "-n",
                "1",
            ],
            "does not answer",
        ),
    ],
)
def test_a_mistake_is_one_line_and_a_next_step(
    tmp_path: Path, arguments: list[str], expected: str
) -> None:
    (tmp_path / "empty.jsonl").write_text("{}\n")
    done = tooldrill("data", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and expected in errors[0]
    assert "next:  " in done.stderr


def test_failures_of_an_evaluation_are_refused_in_one_line(tmp_path: Path) -> None:
    (task,) = make_tasks(["calendar"], 1, 1, (2, 4), recovery=0.0, restraint=0.0)
    episode = {"task": task.id, "tools": [], "messages": [], "steps": [], "outcome": "concluded"}
    results = {"format": "tooldrill-results", "task_ids": [task.id], "episodes": [episode],
               "tasks": [task.model_dump(mode="json")]}  # fmt: skip
    (tmp_path / "model.json").write_text(json.dumps(results))
    done = tooldrill("data", "failures", "model.json", "--out", "o", cwd=tmp_path)
    assert done.returncode == 2
    assert "dropped 1: heldout_world" in done.stderr
    assert "error: all 1 episodes are on held-out tasks" in done.stderr
    assert "next:  let the model work on training tasks: tooldrill data teach" in done.stderr
    assert list((tmp_path / "o").iterdir()) == []
    del results["tasks"]
    (tmp_path / "model.json").write_text(json.dumps(results))
    done = tooldrill("data", "failures", "model.json", "--out", "o", cwd=tmp_path)
    assert "model.json does not carry the tasks of its episodes" in done.stderr


def script(task: Task, fault: str | None) -> dict[str, Any]:
    with open_task(task) as opened:
        calls = [{"name": c.name, "arguments": c.arguments} for c in task.calls]
        return {"opening": len(opened.messages), "calls": calls, "answer": task.answer,
                "fault": fault, "tool": ""}  # fmt: skip


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """A teacher that invents an argument in the first task that needs a call."""
    tasks = training_tasks(DataSettings(), 6, 0)
    wrong = next(task.id for task in tasks if task.kind is TaskKind.ACT)
    path = tmp_path / "script.json"
    path.write_text(
        json.dumps({t.prompt: script(t, "invent" if t.id == wrong else None) for t in tasks})
    )
    process = subprocess.Popen(
        [sys.executable, str(SERVER), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
    process.terminate()
    process.wait(10)
    process.stdout.close()


def test_teach_then_failures(tmp_path: Path, endpoint: str) -> None:
    arguments = ["data", "teach", "--model", "big", "--endpoint", endpoint, "-n", "6"]
    done = tooldrill(*arguments, "--out", "taught", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "6 read, 5 kept (teacher:big 5)" in done.stderr
    assert "dropped 1: violation:invented_argument" in done.stderr
    rows = read(tmp_path / "taught/sft.jsonl")
    assert {row["source"] for row in rows} == {"teacher:big"}
    again = tooldrill(*arguments, "--out", "taught", cwd=tmp_path)
    assert again.returncode == 0
    assert read(tmp_path / "taught/sft.jsonl") == rows

    made = tooldrill("data", "failures", "taught/episodes.jsonl", "--out", "own", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "6 read, 1 kept (own_failure 1)" in made.stderr
    assert "dropped 5: no_violation" in made.stderr
    (pair,) = read(tmp_path / "own/dpo.jsonl")
    assert (pair["violation"], pair["source"]) == ("invented_argument", "own_failure")
    assert (tmp_path / "own/dpo.parquet").is_file()

    worded = tooldrill(*arguments, "--work", "reword", "--out", "worded", cwd=tmp_path)
    assert worded.returncode == 0, worded.stderr
    assert {row["source"] for row in read(tmp_path / "worded/sft.jsonl")} == {"reworded:big"}

    # A teacher's log can be ingested like any other episodes: here the repaired one comes in too.
    episodes = tooldrill("data", "ingest", "taught/episodes.jsonl", "--out", "all", cwd=tmp_path)
    assert "6 read, 6 kept (episodes 6)" in episodes.stderr
