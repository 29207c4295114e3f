"""A whole run of a tiny model, small in every number: what its release tells is what was made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_llama import save_tiny

from tooldrill.agent.progress import Progress, silent
from tooldrill.cli.main import main
from tooldrill.config import load_config
from tooldrill.eval import table
from tooldrill.eval.measure import measure
from tooldrill.eval.results import Results
from tooldrill.export.release.check import check_release
from tooldrill.export.release.facts import Provenance, Table
from tooldrill.manifest import Manifest
from tooldrill.pipeline import Run, Stage, Status, run_stages
from tooldrill.release import release_run
from tooldrill.release_facts import card_tables
from tooldrill.stages import STAGES

CONFIG = """
name: tiny
runs: {runs}
model: {{path: {base}}}
data: {{seed: 5, traces: 4, pairs: 0, tools: [2, 3], worlds: [files], mixture: {{forge: 0}}}}
training:
  lora: {{rank: 4}}
  max_length: 8192
  sft: {{max_steps: 1, batch_size: 1}}
  dpo: {{enabled: false}}
export: {{quantizations: [Q8_0], max_kl_f16: 1.0, min_top1_f16: 0, adapter_gguf: false}}
eval:
  tasks: 2
  tools: [2, 3]
  loop: {{max_steps: 1, max_reply_tokens: 16}}
  engine: {{context: 8192, parallel: 1}}
"""


class Silent:
    """A reporter that tells nobody."""

    def skipped(self, stage: Stage, status: Status) -> None:
        pass

    @contextmanager
    def working(self, stage: Stage, status: Status) -> Iterator[Progress]:
        yield silent

    def finished(self, stage: Stage, manifest: Manifest) -> None:
        pass


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Data, SFT, export and evaluation, all real."""
    folder = tmp_path_factory.mktemp("run")
    base = save_tiny(folder / "base", max_position_embeddings=8192)
    path = folder / "tiny.yaml"
    path.write_text(CONFIG.format(runs=folder / "runs", base=base))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOOLDRILL_CACHE", str(folder / "cache"))
        run = Run(load_config(path), path)
        run_stages([stage for stage in STAGES if stage.name != "report"], run, Silent())
    return run


@pytest.fixture
def copied(done: Run, tmp_path: Path) -> Run:
    """The run in a folder of its own, to be changed."""
    shutil.copytree(done.folder, tmp_path / "runs/tiny")
    config = done.config.model_copy(update={"runs": str(tmp_path / "runs")})
    return replace(done, config=config)


def facts(out: Path) -> Provenance:
    return Provenance.model_validate_json((out / "adapter/tooldrill.json").read_bytes())


@pytest.mark.slow
def test_the_release_tells_what_the_stages_noted(done: Run) -> None:
    out = release_run(done)
    assert out == done.folder / "release"
    assert check_release(out).problems == []
    told = facts(out)
    assert told.training is not None and told.data is not None and told.measured is not None
    summary = json.loads((done.folder / "sft/summary.json").read_text())
    (step,) = told.training.steps
    assert (step.step, step.steps, step.tokens) == ("sft", 1, summary["tokens"])
    assert (step.settings["batch_size"], told.training.adapter["rank"]) == (1, 4)
    assert (told.data.seed, told.data.traces, told.data.worlds) == (5, 4, ["files"])
    assert told.data.held_out == done.config.eval.worlds
    worlds = next(one for one in told.data.listing if one.title == "SFT traces: world")
    assert worlds.rows == [["files", "4"]]
    results = {name: Results.load(done.folder / f"eval/{name}.json") for name in ("base", "sft")}
    assert told.measured.file_sha256 == results["sft"].model.sha256
    expected = [
        [name, one.model.quantization, "2",
         *(table.rate_text(getattr(measure(one), column)) for column in table.RATE_COLUMNS)]
        for name, one in results.items()
    ]  # fmt: skip
    assert told.measured.tables[0].rows == expected
    card = " ".join((out / "README.md").read_text().split())
    assert table.rate_text(measure(results["sft"]).discipline) in card
    assert "| sft | 4 |" in card
    assert "of this folder" in card


@pytest.mark.slow
def test_the_config_is_the_one_that_made_it_and_runs_again(copied: Run) -> None:
    changed = copied.config.data.model_copy(update={"traces": 999, "seed": 1})
    later = replace(copied, config=copied.config.model_copy(update={"data": changed}))
    out = release_run(later)
    again = load_config(out / "config.yaml")
    assert again == copied.config.model_copy(update={"runs": "runs"})
    assert "999" not in (out / "DATA.md").read_text()


@pytest.mark.slow
def test_an_untrained_model_has_no_training_and_no_data(copied: Run) -> None:
    training = copied.config.training
    untrained = training.model_copy(
        update={"sft": training.sft.model_copy(update={"enabled": False})}
    )
    run = replace(copied, config=copied.config.model_copy(update={"training": untrained}))
    out = release_run(run)
    assert not (out / "DATA.md").exists()
    assert not (out / "adapter").exists()
    text = " ".join((out / "README.md").read_text().split())
    assert "Converted by tooldrill and not trained" in text
    assert "This model is called `base` here." in text


@pytest.mark.slow
def test_a_report_brings_it_up_to_date(
    copied: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    runs = f"runs={tmp_path / 'runs'}"
    with suppress(SystemExit):
        main(["report", str(copied.config_path), runs])
    assert capsys.readouterr().out.splitlines()[-1] == f"release {copied.folder / 'release'}"
    assert check_release(copied.folder / "release").problems == []


@pytest.mark.slow
def test_results_of_another_export_are_none_of_this_model(copied: Run) -> None:
    out = release_run(copied)
    assert (out / "results.json").is_file()
    path = copied.folder / "eval/sft.json"
    results = Results.load(path)
    other = results.model.model_copy(update={"sha256": "0" * 64})
    results.model_copy(update={"model": other}).save(path)
    assert release_run(copied) == out
    assert "Not measured" in (out / "README.md").read_text()
    assert not (out / "results.json").exists()
    path.unlink()
    assert facts(release_run(copied)).measured is None


def test_the_counts_of_a_data_card_are_read_and_its_settings_are_not() -> None:
    page = (
        "# Data card\n\n## Settings\n\n| key | value |\n|---|---|\n| files | /home/me/x |\n\n"
        "## SFT traces\n\n| | least | most |\n|---|---|---|\n| steps | 1 | 5 |\n\n4 rows.\n\n"
        "| template | rows |\n|---|---|\n| a|b | 3 |\n\n## Else\n\n| x | y |\n|---|---|\n"
    )
    assert list(card_tables(page)) == [
        Table(title="SFT traces", columns=["", "least", "most"], rows=[["steps", "1", "5"]]),
        Table(title="SFT traces: template", columns=["template", "rows"], rows=[["a", "b"]]),
    ]
