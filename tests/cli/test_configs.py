"""The configs that come with tooldrill: valid, as their headers say, and true about memory."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from published_shapes import MODELS
from typer.testing import CliRunner

from tooldrill.cli.app import app
from tooldrill.config import load_config
from tooldrill.model_shape import shape_of_config
from tooldrill.training_memory import Weights, least_memory

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
PARTS = ("Prerequisites:", "Memory:", "Launch:", "Overrides:")
MEMORY = re.compile(r"LoRA ([\d.]+) GB, QLoRA ([\d.]+) GB of GPU memory; CPU ([\d.]+) GB\. ")
WEIGHTS: tuple[Weights, ...] = ("bfloat16", "nf4", "float32")

each = pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
each_model = pytest.mark.parametrize("name", MODELS)


def header(path: Path) -> str:
    lines = path.read_text("utf-8").splitlines()
    return "\n".join(line for line in lines[: lines.index("")])


def commands(path: Path) -> list[list[str]]:
    """The tooldrill commands of a header, as a shell would cut them."""
    found = re.findall(r"^#.*?\s(?:\S*/)?(tooldrill (?:run|train|data) .*)$", header(path), re.M)
    cut = [re.split(r"\s{2,}", text)[0] for text in found]
    return [shlex.split(text) for text in cut]


def at(name: str) -> Path:
    return ROOT / "configs" / f"{name}.yaml"


def test_every_model_has_a_config_and_every_config_a_model() -> None:
    assert {path.stem for path in CONFIGS} == {*MODELS, "demo"}


@each
def test_it_is_valid_and_named_as_its_file(path: Path) -> None:
    assert load_config(path).name == path.stem


@each
def test_its_header_has_the_four_parts_in_order(path: Path) -> None:
    places = [header(path).find(f"# {part}") for part in PARTS]
    assert -1 not in places
    assert places == sorted(places)
    assert all(line.startswith("#") for line in header(path).splitlines())


@each
def test_its_commands_name_the_file_and_their_overrides_hold(path: Path) -> None:
    own = f"configs/{path.name}"
    found = [command for command in commands(path) if command[1] in ("run", "train")]
    assert ["tooldrill", "run", own] in found
    assert ["tooldrill", "run", own, "--dry-run"] in found
    names = set()
    for command in found:
        given = command[command.index(own) + 1 :]
        if "--launcher" in given:
            at_launcher = given.index("--launcher")
            launcher = given[at_launcher + 1]
            given[at_launcher : at_launcher + 2] = [f"training.launcher={launcher}"]
        overrides = [text for text in given if "=" in text]
        if path.stem == "demo":
            # Its example of a local folder names one that only the reader has.
            overrides = [text for text in overrides if not text.startswith("model.path=/models/")]
        config = load_config(path, overrides)
        if command[1] == "run" and overrides:
            names.add(config.name)
    assert path.stem not in names  # an override of the recipe must not overwrite the recipe's run
    assert len(names) >= 2


@each_model
def test_the_memory_of_the_header_is_that_of_the_estimate(name: str) -> None:
    written = MEMORY.search(header(at(name)))
    assert written is not None
    settings = load_config(at(name)).training
    shape = shape_of_config(MODELS[name])
    for text, weights in zip(written.groups(), WEIGHTS, strict=True):
        expected = least_memory(shape, settings, weights) / 1e9
        assert float(text) == pytest.approx(expected, rel=0.2), weights


@each_model
def test_the_card_of_the_header_has_room(name: str) -> None:
    written = MEMORY.search(header(at(name)))
    cards = re.search(r"fits an? (\d+) GB card(?:, (\d+) GB with QLoRA)?\.", header(at(name)))
    assert written is not None and cards is not None
    assert float(written[1]) <= 0.86 * int(cards[1])
    if cards[2]:
        assert float(written[2]) <= 0.86 * int(cards[2]) < float(written[1])


@each_model
def test_the_size_of_the_header_is_that_of_the_model(name: str) -> None:
    written = re.match(r"# \S+: ([\d.]+) (million|billion) weights\.", header(at(name)))
    assert written is not None
    size = float(written[1]) * {"million": 1e6, "billion": 1e9}[written[2]]
    assert size == pytest.approx(shape_of_config(MODELS[name]).parameters, rel=0.03)


@each_model
def test_k_quants_are_for_rows_of_whole_blocks(name: str) -> None:
    shape = shape_of_config(MODELS[name])
    whole = shape.decoder.hidden % 256 == 0 and shape.decoder.inner % 256 == 0
    assert ("Q4_K_M" in load_config(at(name)).export.quantizations) == whole


def test_larger_models_learn_more_slowly() -> None:
    rates = []
    for name in sorted(MODELS, key=lambda name: shape_of_config(MODELS[name]).parameters):
        training = load_config(at(name)).training
        rates.append(training.sft.learning_rate)
        assert training.dpo.learning_rate == pytest.approx(training.sft.learning_rate / 10)
    assert rates == sorted(rates, reverse=True)


def test_the_table_of_models_says_what_the_configs_say() -> None:
    page = (ROOT / "docs/models.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| [")]
    assert len(rows) == len(MODELS)
    for name in MODELS:
        (row,) = [row for row in rows if f"(../configs/{name}.yaml)" in row]
        first = header(at(name)).splitlines()[0]
        hub, licence = re.match(r"# (\S+): .* Licence: (.*)\.$", first).groups()  # type: ignore[union-attr]
        assert f"[{hub}](https://huggingface.co/{hub})" in row and f"| {licence} |" in row
        written = MEMORY.search(header(at(name)))
        assert written is not None and f"| {written[1]} / {written[2]} GB |" in row
        assert ("not run" in row) == (name != "smollm2-135m")


@pytest.mark.slow
def test_a_dry_run_without_the_model_says_what_cannot_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("tooldrill.model_shape._from_cache", lambda name: None)
    path = at("qwen3-0.6b")
    result = CliRunner().invoke(app, ["run", str(path), f"runs={tmp_path}", "--dry-run"])
    assert result.exit_code == 0, result.output
    assert "Qwen/Qwen3-0.6B is not on this machine yet" in result.output
    assert "hf download Qwen/Qwen3-0.6B" in result.output
    sft = next(line for line in result.output.splitlines() if line.startswith("│ sft"))
    assert sft.count(" ? ") == 2
