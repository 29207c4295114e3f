"""`tooldrill eval --suite DIR`: validated by line, refused in a line, and run with a real model."""

import json
import re
from pathlib import Path

import pytest

from tooldrill.eval.results import Results

PAGE = Path(__file__).parents[2] / "docs" / "own-suite.md"


@pytest.fixture
def notes(tmp_path):
    """The suite of the docs page."""
    tools, tasks = re.findall(r"```(?:python|json)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "tools.py").write_text(tools)
    (folder / "tasks.jsonl").write_text(tasks)
    return folder


def test_the_suite_of_the_docs_is_sound(shell, notes):
    status, out, _ = shell("eval", "--suite", notes, "--validate")
    assert status == 0
    assert "3 tasks over 2 tools" in out


def test_what_is_wrong_is_said_by_line(shell, notes):
    with (notes / "tasks.jsonl").open("a") as file:
        file.write('{"id": "milk", "prompt": "x", "expect": {"no_call": true}}\n{\n')
    status, out, _ = shell("eval", "--suite", notes, "--validate")
    assert status == 1
    lines = out.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["tasks.jsonl:4:", "tasks.jsonl:5:"]
    status, _, err = shell("eval", "--suite", notes, "--model", "x.gguf", "--out", notes / "r.json")
    assert status == 2
    assert "tasks.jsonl:4" in err
    assert "--validate" in err


def test_what_is_missing_is_said(shell, notes, tmp_path):
    status, _, err = shell("eval", "--suite", notes)
    assert status != 0
    assert "--model FILE.gguf" in err
    status, _, err = shell("eval", "--validate")
    assert status != 0
    assert "--suite DIR" in err
    status, out, _ = shell("eval", "--suite", tmp_path / "nowhere", "--validate")
    assert status == 1
    assert "tools.py: there is no such file" in out


@pytest.mark.slow
def test_a_real_model_runs_it_and_the_results_make_a_report(shell, notes, smollm2, tmp_path):
    out = tmp_path / "r.json"
    status, _, err = shell(
        "eval", "--suite", notes, "--model", smollm2, "--out", out, "--name", "small",
        "eval.loop.protocol=react_json", "eval.loop.max_reply_tokens=64", "eval.loop.max_steps=2",
        "eval.engine.threads=2",
    )  # fmt: skip
    assert status == 0, err
    results = Results.load(out)
    assert results.task_ids == ["milk", "beans", "thanks"]
    assert results.suite.worlds == ["own:notes"]
    assert all(episode.success is not None for episode in results.episodes)
    assert json.loads(out.read_text())["tasks"][0]["state"]["line"]["id"] == "milk"
    status, _, err = shell("report", out, "--out", tmp_path / "report.html")
    assert status == 0, err
    assert "own:notes" in (tmp_path / "report.html").read_text("utf-8")
