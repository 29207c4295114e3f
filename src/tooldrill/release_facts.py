"""What the cards of a release say of a run: gathered from its stages' records and results.

The export package knows nothing of runs and evaluations; here both become the plain data that its
cards are made of. What cannot be found is left out, and the cards say so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tooldrill.eval import table
from tooldrill.eval.comparison import compare
from tooldrill.eval.measure import Measures, measure
from tooldrill.eval.results import Results
from tooldrill.eval.verdict import verdict
from tooldrill.export.records import ExportSummary
from tooldrill.export.release.facts import (
    DataFacts,
    Measured,
    Provenance,
    Table,
    TrainingFacts,
    TrainingStep,
)
from tooldrill.layout import BASE, DPO, ROUNDS, conditions, result_files
from tooldrill.manifest import MANIFEST, Manifest
from tooldrill.pipeline import Run

_SUMMARY = "summary.json"
_CARD = "data_card.md"
_TOLD_ELSEWHERE = ("workers", "files", "mixture")
# Parts of the data stage's card that hold counts; its settings hold paths of this machine.
_COUNTED = ("SFT traces", "DPO pairs", "Made with")


def gathered_facts(run: Run, summary: ExportSummary) -> Provenance:
    """Everything the run tells of its final model.

    Args:
        summary: of the final model's export, which says what the results must be of.
    """
    training = training_facts(run)
    return Provenance(
        training=training,
        # A run without training may have data all the same, which the model has not seen.
        data=data_facts(run) if training is not None else None,
        measured=measured_facts(run, summary),
    )


def training_facts(run: Run) -> TrainingFacts | None:
    """How the adapter was trained; None for a run without training, or before it."""
    names = [name for name in conditions(run) if name != BASE]
    found = {name: Manifest.read(run.stage_folder(name) / MANIFEST) for name in names}
    manifests = {name: manifest for name, manifest in found.items() if manifest is not None}
    steps = [step for name in manifests for step in _steps(run, name, manifests[name])]
    if not steps:
        return None
    last = manifests[list(manifests)[-1]]
    training = last.config.get("training", {})
    return TrainingFacts(
        steps=steps,
        adapter=training.get("lora", {}),
        max_length=training.get("max_length"),
        four_bits=bool(training.get("quantization", {}).get("enabled")),
        versions=_packages(last.versions),
    )


def data_facts(run: Run) -> DataFacts | None:
    """What the run was trained on; None before its data is built."""
    folder = run.stage_folder("data")
    manifest = Manifest.read(folder / MANIFEST)
    if manifest is None:
        return None
    # Not read back as settings: a key that an older tooldrill did not have would be made up.
    told = manifest.config["data"]
    files = {Path(file["path"]).name: file["weight"] for file in told.get("files", ())}
    card = folder / _CARD
    return DataFacts(
        seed=told["seed"],
        traces=told["traces"],
        pairs=told["pairs"],
        worlds=told["worlds"],
        mixture=told.get("mixture", {}) | files,
        settings={key: value for key, value in told.items() if key not in _TOLD_ELSEWHERE},
        held_out=run.config.eval.worlds,
        licence=list(_data_licence(told.get("mixture", {}), files)),
        listing=list(card_tables(card.read_text("utf-8"))) if card.is_file() else [],
    )


def measured_facts(run: Run, summary: ExportSummary) -> Measured | None:
    """What the evaluation found of exactly this export; None when it found nothing yet."""
    files = {name: path for name, path in result_files(run).items() if path.is_file()}
    own = [name for name in conditions(run) if name in files]
    if conditions(run)[-1] not in own:
        return None
    results = [Results.load(path) for path in files.values()]
    # The run's own come first; the last of them is its product.
    reference, final = results[0], results[len(own) - 1]
    exported = {file.sha256 for file in summary.files}
    if final.model.sha256 is None or final.model.sha256 not in exported:
        return None
    measures = [measure(one) for one in results]
    against = compare(final, reference) if len(own) > 1 else None
    return Measured(
        model=final.model.name,
        file_sha256=final.model.sha256,
        quantization=final.model.quantization or run.config.eval.quantization,
        sentences=verdict(measures[: len(own)], against),
        conditions=list(_conditions(final)),
        tables=[_rates(results, measures), _classes(measures)],
        results=[_numbers(one, found) for one, found in zip(results, measures, strict=True)],
    )


def card_tables(text: str) -> Iterator[Table]:
    """The tables of the data stage's card, by section; prose after a table becomes its note."""
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        if title in _COUNTED:
            yield from _tables(title, body)


def _tables(title: str, body: str) -> Iterator[Table]:
    for block in re.split(r"\n{2,}", body.strip()):
        lines = block.splitlines()
        if not lines[0].startswith("|"):
            continue
        columns, *rows = [_cells(line) for line in lines if not line.startswith("|---")]
        named = f"{title}: {columns[0]}" if columns[0] else title
        rows = [[*row, *[""] * len(columns)][: len(columns)] for row in rows]
        yield Table(title=named, columns=columns, rows=rows)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _steps(run: Run, name: str, manifest: Manifest) -> Iterator[TrainingStep]:
    """The step of a stage; of the rounds, one for each."""
    folder = run.stage_folder(name)
    settings = manifest.config.get("training", {}).get(DPO if name == ROUNDS else name, {})
    folders = {name: folder}
    if name == ROUNDS:
        found = sorted((path for path in folder.glob("*/dpo") if path.is_dir()), key=_number)
        folders = {f"round {path.parent.name}": path for path in found}
    for title, path in folders.items():
        try:
            told = json.loads((path / _SUMMARY).read_bytes())
            kept = {key: told[key] for key in TrainingStep.model_fields if key in told}
            yield TrainingStep(step=title, settings=settings, **kept)
        except (OSError, ValueError):
            # By an older tooldrill, which told less: the card leaves the step out.
            continue


def _number(path: Path) -> int:
    return int(path.parent.name) if path.parent.name.isdecimal() else 0


def _packages(versions: dict[str, str]) -> dict[str, str]:
    """Those that decide a result; the machine's own name for its system is nobody's business."""
    return {name: v for name, v in versions.items() if name != "system" and v != "absent"}


def _data_licence(mixture: Mapping[str, float], files: Iterable[str]) -> Iterator[str]:
    if not mixture or mixture.get("worlds") or mixture.get("forge"):
        yield "Worlds and generated worlds: made by tooldrill's own code, Apache-2.0."
    if mixture.get("harvest"):
        yield (
            "Harvest: names and descriptions of real APIs, from packages under Apache-2.0 and from "
            "Python's standard library (PSF licence)."
        )
    for name in files:
        yield f"{name}: made elsewhere, under the licence of its origin."


def _conditions(results: Results) -> Iterator[str]:
    suite, loop = results.suite, results.condition.loop
    seed = "" if suite.seed is None else f", seed {suite.seed}"
    yield (
        f"{suite.tasks} held-out tasks in the worlds {', '.join(suite.worlds)}{seed}; at most "
        f"{loop.max_steps} replies of {loop.max_reply_tokens} tokens each."
    )
    watched = "on" if loop.watchdog.enabled else "off"
    yield (
        f"Protocol {loop.protocol}, temperature {loop.sampling.temperature:g}, watchdogs "
        f"{watched}, grammar {loop.constrain}, repair {'on' if loop.repair else 'off'}."
    )
    yield f"tooldrill {results.versions.tooldrill}, llama.cpp {results.versions.llama_cpp}."


def _rates(results: Sequence[Results], measures: Sequence[Measures]) -> Table:
    rows = [table.summary_row(one, m) for one, m in zip(results, measures, strict=True)]
    return Table(
        title="Rates with 95% intervals",
        columns=["model", "quantization", "tasks", *table.RATE_TITLES.values()],
        rows=[
            [row.model, row.quantization, str(row.episodes), *row.rates.values()] for row in rows
        ],
        note="Wilson intervals; replies of a task count as the cluster that they are.",
    )


def _classes(measures: Sequence[Measures]) -> Table:
    return Table(
        title="Replies with a violation, by class",
        columns=["class", *(one.name for one in measures)],
        rows=[[row.kind.value, *row.cells] for row in table.class_rows(measures)],
        note="Share (number); a class not seen shows the upper bound of the rule of three.",
    )


def _numbers(results: Results, one: Measures) -> dict[str, Any]:
    rates = {column: asdict(getattr(one, column)) for column in (*table.RATE_COLUMNS, "clean")}
    return {
        "model": one.name,
        "quantization": results.model.quantization,
        "sha256": results.model.sha256,
        "suite": results.suite.model_dump(mode="json"),
        "loop": results.condition.loop.model_dump(mode="json"),
        "episodes": one.episodes,
        "replies": one.replies,
        "rates": rates,
        "violations": {kind.value: asdict(rate) for kind, rate in one.violations.items()},
        "date": results.date,
    }
