"""A run's suites and matrix: cell by cell, with SmolLM2 itself, resumed and reported."""

from __future__ import annotations

import pytest

from tooldrill.config import RunConfig
from tooldrill.eval.results import Results
from tooldrill.eval_stage import evaluate_all
from tooldrill.layout import all_result_files
from tooldrill.pipeline import Run
from tooldrill.report_stage import report_all


def quiet(*_):
    return None


@pytest.fixture
def run(tmp_path, monkeypatch, smollm2):
    monkeypatch.chdir(tmp_path)
    config = {
        "name": "small",
        "training": {"sft": {"enabled": False}, "dpo": {"enabled": False}},
        "export": {"quantizations": ["Q8_0", "Q4_0"]},
        "eval": {
            "tasks": 3,
            "suites": ["restraint"],
            "suite_tasks": 2,
            "matrix": {"loop.constrain": ["off", "call"], "quantization": ["Q4_0"]},
            "loop": {"protocol": "react_json", "max_steps": 1, "max_reply_tokens": 16},
        },
    }
    made = Run(RunConfig.model_validate(config))
    folder = made.stage_folder("export") / "base"
    folder.mkdir(parents=True)
    for quantization in ("Q8_0", "Q4_0"):
        (folder / f"small-{quantization}.gguf").symlink_to(smollm2)
    return made


def test_every_cell_is_run_once_and_reported(run, tmp_path, shell):
    out = run.stage_folder("eval")
    evaluate_all(run, out, quiet)
    files = {str(path.relative_to(out)) for path in out.rglob("*.json")}
    assert files == {
        "base.json",
        "cells/tasks/base--loop.constrain-call.json",
        "cells/tasks/base--quantization-Q4_0.json",
        "cells/restraint/base--base.json",
        "cells/restraint/base--loop.constrain-call.json",
        "cells/restraint/base--quantization-Q4_0.json",
    }
    assert set(all_result_files(run)) == set(out.rglob("*.json"))
    held = Results.load(out / "cells/restraint/base--loop.constrain-call.json")
    assert (held.cell, held.suite.name) == ("loop.constrain=call", "restraint")
    assert held.condition.loop.constrain == "call"
    assert Results.load(out / "base.json").cell == ""

    # What is there is not run again; what is missing is.
    (out / "cells/restraint/base--base.json").unlink()
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob("*.json")}
    evaluate_all(run, out, quiet)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    assert (out / "cells/restraint/base--base.json").is_file()

    report_all(run, ["base"], {}, tmp_path / "report", quiet)
    main = (tmp_path / "report/report.md").read_text("utf-8")
    assert "| loop.constrain=call | " in main
    assert "restraint.html" in main
    page = (tmp_path / "report/restraint.html").read_text("utf-8")
    assert "Under other conditions" in page
    assert '"chart-quantization":' in page
    assert "must call" in page

    # The same files by hand make the same table: one model, so one column.
    files = [out / "base.json", *sorted((out / "cells/tasks").iterdir())]
    assert shell("report", *files, "--out", tmp_path / "hand.html")[0] == 0
    rows = (tmp_path / "hand.md").read_text("utf-8").splitlines()
    assert rows.count("| Condition | base |") == 1
    assert sum(row.startswith("| quantization=Q4") for row in rows) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"suites": ["contact"]}, "no suite and no folder contact; did you mean contract?"),
        ({"suites": ["unseen", "unseen"]}, "unseen is listed twice"),
        ({"matrix": {"quantization": ["Q5_K_M"]}}, "Q5_K_M is not among export.quantizations"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_runs(change, told, shell, tmp_path):
    import yaml

    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump({"name": "x", "eval": change}), "utf-8")
    code, _, errors = shell("run", path, "--dry-run")
    assert code != 0
    assert told in " ".join(errors.split())
