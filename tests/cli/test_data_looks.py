"""`data build|preview|stats|validate` on a real set, as a user runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """
name: look
data: {traces: 60, pairs: 20, mixture: {worlds: 1, forge: 1}}
"""


def tooldrill(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("tooldrill")), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("look")
    (place / "a.yaml").write_text(CONFIG)
    done = tooldrill("data", "build", "a.yaml", cwd=place)
    assert done.returncode == 0, done.stderr
    return place


def rows(folder: Path) -> list[dict[str, object]]:
    text = (folder / "runs/look/data/sft.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_preview_shows_any_example_by_its_id(folder: Path) -> None:
    wanted = str(rows(folder)[37]["trace_id"])
    done = tooldrill("data", "preview", "a.yaml", "--id", wanted, cwd=folder)
    assert done.returncode == 0
    assert wanted in done.stdout.replace("\n", "")
    missing = tooldrill("data", "preview", "a.yaml", "--id", "nothing", cwd=folder)
    assert missing.returncode == 2
    assert "'nothing'" in missing.stderr


def test_preview_takes_an_example_as_training_names_it_and_marks_what_is_learned(
    folder: Path,
) -> None:
    row = rows(folder)[5]
    name = f"{row['trace_id']}/react_json"
    done = tooldrill("data", "preview", "a.yaml", "--id", name, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "(react_json)" in done.stdout and "(native)" not in done.stdout
    # Without a terminal there are no colours: brackets stand around what is learned.
    assert '"conclusion": ' in done.stdout.split("\u27e6")[-2]


def test_preview_writes_a_page_with_what_is_learned_marked(folder: Path) -> None:
    done = tooldrill("data", "preview", "a.yaml", "-n", "3", "--html", "p.html", cwd=folder)
    assert done.returncode == 0
    page = (folder / "p.html").read_text()
    assert page.count("<h2>") == 3
    assert page.count("<mark>") >= 4  # the legend's, and one for each example at least


def test_stats_count_rows_and_tokens(folder: Path) -> None:
    done = tooldrill("data", "stats", "a.yaml", cwd=folder)
    assert done.returncode == 0
    assert "Traces: 60" in done.stdout
    assert "tokens" in done.stdout
    assert "forge-0" not in done.stdout


def test_validate_finds_what_is_shared_and_only_that(folder: Path) -> None:
    clean = tooldrill("data", "validate", "a.yaml", cwd=folder)
    assert (clean.returncode, clean.stderr) == (0, "")
    assert "nothing shared" in clean.stdout
    row = rows(folder)[0]
    (folder / "bench.jsonl").write_text(json.dumps({"prompt": "x", "tools": row["tools"]}) + "\n")
    shared = tooldrill("data", "validate", "a.yaml", "--against", "bench.jsonl", cwd=folder)
    assert shared.returncode == 1
    names = [tool["function"]["name"] for tool in row["tools"]]  # type: ignore[attr-defined]
    shown = [line.split()[2] for line in shared.stdout.splitlines() if "tool name: " in line]
    assert len(shown) == len(set(shown)) == min(len(names), 10)
    assert set(shown) <= set(names)


def test_a_set_is_built_again_when_a_file_in_it_changed(folder: Path) -> None:
    mine = folder / "mine"
    mine.mkdir()
    lines = (folder / "runs/look/data/sft.jsonl").read_text().splitlines(keepends=True)
    arguments = ["data", "build", "a.yaml", "name=more", "data.traces=8", "data.pairs=2",
                 "data.files=[{path: mine}]"]  # fmt: skip
    said = []
    for count in (4, 4, 3):
        (mine / "sft.jsonl").write_text("".join(lines[:count]))
        done = tooldrill(*arguments, cwd=folder)
        assert done.returncode == 0, done.stderr
        said.append(done.stderr)
    assert "up to date" in said[1]
    assert "input changed" in said[2]
