"""The report stage of a run: gathers results, loss curves and facts for the report's writer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tooldrill.agent.progress import Progress
from tooldrill.eval.cells import cells
from tooldrill.eval.report import write_report
from tooldrill.eval.results import Results
from tooldrill.export.records import ExportSummary
from tooldrill.layout import BASE, cell_file, file_stem
from tooldrill.manifest import Manifest
from tooldrill.pipeline import Run

Row = dict[str, Any]


def report_all(
    run: Run,
    conditions: Sequence[str],
    manifests: Mapping[str, Manifest],
    out: Path,
    progress: Progress,
) -> None:
    """Writes report.html and report.md from what the other stages left."""
    settings = run.config.eval
    pages = {suite: f"{file_stem(suite)}.html" for suite in settings.suites}
    facts = {"GGUF files": _files(run, conditions), "Stages": _stages(manifests)}
    notes = [f"The suites have pages of their own: {', '.join(pages.values())}."] if pages else []
    _page(run, None, conditions, out, notes=notes, curves=_curves(run, conditions), facts=facts)
    for number, (suite, page) in enumerate(pages.items(), 1):
        progress(number, 1 + len(pages), suite)
        _page(run, suite, conditions, out / page)
    progress(1, 1)


def _page(
    run: Run,
    suite: str | None,
    conditions: Sequence[str],
    out: Path,
    *,
    notes: Sequence[str] = (),
    curves: Mapping[str, Sequence[Row]] | None = None,
    facts: Mapping[str, Sequence[Row]] | None = None,
) -> None:
    """The report on one suite, with what the other conditions of the matrix do to it."""
    settings = run.config.eval
    of_suite = [cell for cell in cells(settings) if cell.suite == suite]
    names = [*conditions, *(baseline.name for baseline in settings.baselines)]
    found = {
        (cell.name, name): Results.load(path)
        for cell in of_suite
        for name in names
        if (path := cell_file(run, name, cell)).is_file()
    }
    base = [found["", name] for name in names]
    write_report(
        base[: len(conditions)],
        out,
        curves=curves,
        title=f"tooldrill: {run.config.name}" + (f", {suite}" if suite else ""),
        notes=notes,
        baselines=base[len(conditions) :],
        conditions=[one for (cell, _), one in found.items() if cell],
        facts=facts,
    )


def _curves(run: Run, conditions: Sequence[str]) -> dict[str, list[Row]]:
    curves: dict[str, list[Row]] = {}
    for name in conditions:
        path = run.stage_folder(name) / "curve.jsonl"
        if path.is_file():
            lines = path.read_text("utf-8").splitlines()
            curves[name.upper()] = [json.loads(line) for line in lines]
    return curves


def _files(run: Run, conditions: Sequence[str]) -> list[Row]:
    """Each GGUF with its size and how far it is from the model it was made of."""
    rows: list[Row] = []
    for name in conditions:
        path = run.stage_folder("export") / name / "export.json"
        if not path.is_file():
            continue
        summary = ExportSummary.model_validate_json(path.read_bytes())
        checks = {check.quantization: check for check in summary.verification.logits}
        for file in summary.files:
            check = checks.get(file.quantization)
            rows.append(
                {
                    "model": name if name == BASE else name.upper(),
                    "file": file.file,
                    "MB": round(file.bytes / 1e6, 1),
                    "bits per weight": round(file.bits_per_weight, 2),
                    "mean KL (nats)": f"{check.mean_kl:.2g}" if check else "not measured",
                    "same top token": f"{100 * check.top1:.1f}%" if check else "not measured",
                }
            )
    return rows


def _stages(manifests: Mapping[str, Manifest]) -> list[Row]:
    return [
        {
            "stage": name,
            "minutes": round(manifest.seconds / 60, 2),
            "peak memory (GB)": round(manifest.peak_memory / 1e9, 2),
            "attempts": manifest.attempts,
        }
        for name, manifest in manifests.items()
        if name != "report"
    ]
