"""`doctor` says what training will choose for a config, by training's own code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_llama import save_tiny

from tooldrill.config import load_config
from tooldrill.doctor import Finding, Verdict, training_choices


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doctor")
    save_tiny(folder / "tiny")
    path = folder / "run.yaml"
    path.write_text(f"name: x\nruns: {folder}\nmodel: {{path: {folder / 'tiny'}}}\n")
    return path


def choices(config: Path, *overrides: str) -> list[Finding]:
    return list(training_choices(load_config(config, overrides)))


def test_each_choice_has_a_line_and_can_be_overridden(config: Path) -> None:
    free = [found.text for found in choices(config)]
    assert len(free) == 8
    assert free[-1] == "shared prefixes: computed once, most likely"
    assert not any(line.endswith(": set") for line in free)
    given = [
        "device=cpu", "dtype=float32", "threads=2", "attention=dense",
        "gradient_checkpointing=true", "tokens=3000",
    ]  # fmt: skip
    fixed = choices(config, *(f"training.hardware.{item}" for item in given))
    assert [found.text for found in fixed[1:-1]] == [
        "device cpu: set", "float32: set", "2 threads: set", "attention dense: set",
        "gradient checkpointing: set", "3000 tokens at once: set",
    ]  # fmt: skip


def test_longer_examples_than_are_allowed_are_not_expected(config: Path) -> None:
    assert "up to about 128 tokens" in choices(config, "training.max_length=128")[0].text


@pytest.mark.parametrize(
    ("override", "step"),
    [
        ("training.report_to=[trackio]", "pip install trackio"),
        ("training.hardware.device=cuda:77", "use cpu"),
        ("training.sft.optimizer=paged_adamw_8bit", "adamw_torch"),
        ("training.quantization.enabled=true", "training.quantization.enabled=false"),
    ],
)
def test_what_cannot_be_done_here_is_a_problem(config: Path, override: str, step: str) -> None:
    if torch.cuda.is_available() and "77" not in override:
        pytest.skip("there is a CUDA device")
    found = choices(config, override)[-1]
    assert found.verdict is Verdict.PROBLEM
    assert step in found.next_step


def test_a_model_that_does_not_lie_here_is_left_to_its_loading(config: Path) -> None:
    (found,) = choices(config, "model.path=some/model")
    assert found.verdict is Verdict.FINE
    assert "some/model does not lie here" in found.text


@pytest.mark.slow
def test_the_command_ends_as_its_findings_say(config: Path) -> None:
    def doctor(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = "from tooldrill.cli.main import main; main()"
        return subprocess.run(
            [sys.executable, "-c", code, "doctor", *arguments],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip

    fine = doctor(str(config), "training.hardware.tokens=300")
    assert fine.returncode == 0, fine.stderr
    assert "300 tokens at once: set" in fine.stdout
    assert doctor(str(config), "training.hardware.device=nowhere").returncode == 1
