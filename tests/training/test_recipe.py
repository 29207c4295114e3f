"""What a recipe may name, and how a run ends that names what cannot work."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import pytest
from tiny_llama import make_model, make_tokenizer, save_tiny
from trl import SFTConfig

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.data.sets.build import build
from tooldrill.data.settings import DataSettings
from tooldrill.training import examples
from tooldrill.training.adapter import new_adapter
from tooldrill.training.base_model import answering_peft
from tooldrill.training.checkpoints import latest_checkpoint
from tooldrill.training.examples import spoken
from tooldrill.training.hardware import Hardware
from tooldrill.training.recipe import require_recipe
from tooldrill.training.settings import (
    LoraSettings,
    ModelSettings,
    SftSettings,
    TrainingSettings,
)
from tooldrill.training.sft import train_sft
from tooldrill.training.trainer_setup import trainer_arguments


@pytest.mark.parametrize(
    ("given", "said", "step"),
    [
        ({"schedule": "cosin"}, "schedule 'cosin' is not known", "did you mean cosine?"),
        ({"optimizer": "adamw_troch"}, "optimizer 'adamw_troch' is not", "mean adamw_torch?"),
        ({"schedule": "cosine_with_min_lr"}, "settings of its own: One of min_lr", "use one of"),
        ({"schedule": "reduce_lr_on_plateau"}, "training has none", "use one of cosine"),
        ({"optimizer": "galore_adamw"}, "for training whole weights", "adamw_torch"),
        ({"optimizer": "adamw_anyprecision"}, "adamw_anyprecision: Please install", "adamw_torch"),
    ],
)
def test_what_a_recipe_cannot_name(given: dict[str, str], said: str, step: str) -> None:
    with pytest.raises(TooldrillError, match=said) as caught:
        require_recipe(SftSettings(**given))  # type: ignore[arg-type]
    assert step in caught.value.next_step


@pytest.mark.parametrize("schedule", ["linear", "constant_with_warmup", "polynomial"])
def test_what_it_can(schedule: str) -> None:
    require_recipe(SftSettings(schedule=schedule, optimizer="adafactor"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipe")
    build(DataSettings(worlds=["files"], traces=8, pairs=2, tools=(2, 3), workers=1), folder / "d")
    save_tiny(folder / "tiny", max_position_embeddings=4096)
    return folder


def settings(**sft: Any) -> TrainingSettings:
    return TrainingSettings.model_validate(
        {
            "lora": {"rank": 4},
            "report_to": [],
            "hardware": {"device": "cpu", "dtype": "float32", "threads": 1},
            "sft": {"batch_size": 2, "save_every": 1, **sft},
        }
    )


def test_a_loss_that_is_no_number_ends_the_run_at_that_step(place: Path, tmp_path: Path) -> None:
    steps: list[int] = []
    wild = settings(learning_rate=1e30, warmup=0.0, max_steps=40, max_grad_norm=1e30)
    model = ModelSettings(path=str(place / "tiny"))
    with pytest.raises(TooldrillError, match=r"no longer numbers after step (\d+)") as caught:
        train_sft(
            model,
            wild,
            place / "d/sft.jsonl",
            tmp_path,
            lambda done, _total, _note: steps.append(done),
        )
    assert caught.value.next_step == "lower the learning_rate"
    assert max(steps) < 5
    assert not (tmp_path / "adapter").exists()
    # What was kept is from before: it can be gone on from.
    kept = {int(path.name.rpartition("-")[2]) for path in (tmp_path / "checkpoints").glob("c*")}
    assert kept and max(kept) < max(steps)
    assert math.isfinite(
        train_sft(model, settings(max_steps=2), place / "d/sft.jsonl", tmp_path / "b").final_loss
    )


def test_weights_that_are_no_numbers_are_kept_nowhere(place: Path, tmp_path: Path) -> None:
    """The only step's loss is one, but its update leaves float32."""
    wild = settings(learning_rate=3e38, weight_decay=1e6, optimizer="sgd", warmup=0.0, max_steps=1)
    with pytest.raises(TooldrillError, match="no longer numbers after step 1"):
        train_sft(ModelSettings(path=str(place / "tiny")), wild, place / "d/sft.jsonl", tmp_path)
    assert not (tmp_path / "adapter").exists()
    assert (tmp_path / "checkpoints/checkpoint-1").is_dir()
    assert latest_checkpoint(tmp_path / "checkpoints") is None


def test_rows_of_which_none_can_be_told_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "is_expressible", lambda _row, _protocol: False)
    protocols: list[CallProtocol] = [None]  # type: ignore[list-item]
    with pytest.raises(TooldrillError, match="none of 2 breaches"):
        spoken([{}, {}], protocols)


def test_a_row_without_a_column_is_one_line(place: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"messages": []}\n')
    with pytest.raises(TooldrillError, match="row 1 has no list 'tools'"):
        train_sft(ModelSettings(path=str(place / "tiny")), settings(), file, tmp_path / "out")


def test_nothing_deprecated_is_asked_for(tmp_path: Path) -> None:
    hardware = Hardware("cpu", "float32", 1, True, "branches", 100, ())
    arguments = trainer_arguments(settings(), SftSettings(), 1e-3, hardware, tmp_path / "x/y/z")
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        assert SFTConfig(**arguments).gradient_checkpointing
        adapted = new_adapter(answering_peft(make_model(make_tokenizer())), LoraSettings(), 0)
        assert not adapted.is_gradient_checkpointing
        adapted.get_base_model().activation_checkpointing_enable()
        assert adapted.is_gradient_checkpointing
