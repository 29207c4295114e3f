"""DPO on a tiny llama: the reference is kept, classes are told apart, a collapse ends it."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import torch
from safetensors.torch import load_file
from tiny_llama import save_tiny

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.sets.build import build
from tooldrill.data.sets.reading import read_rows
from tooldrill.data.settings import DataSettings
from tooldrill.training import reference
from tooldrill.training.collapse import WINDOW, StopOnCollapse
from tooldrill.training.dpo import train_dpo
from tooldrill.training.settings import DpoLoss, ModelSettings, TrainingSettings
from tooldrill.training.sft import train_sft


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOOLDRILL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache/reference"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dpo")
    settings = DataSettings(worlds=["files"], traces=12, pairs=12, tools=(2, 3), workers=1)
    build(settings, folder / "set")
    save_tiny(folder / "tiny", max_position_embeddings=4096)
    train_sft(model(folder), settings_of(), folder / "set/sft.jsonl", folder / "sft")
    return folder


def model(folder: Path) -> ModelSettings:
    return ModelSettings(path=str(folder / "tiny"))


def settings_of(**dpo: Any) -> TrainingSettings:
    return TrainingSettings.model_validate(
        {
            "lora": {"rank": 4, "alpha": 8},
            "hardware": {"dtype": "float32", "threads": 1, "tokens": 4096},
            "sft": {"learning_rate": 1e-3, "max_steps": 1},
            "dpo": {"batch_size": 4, "learning_rate": 1e-3, **dpo},
        }
    )


def run(place: Path, out: Path, **dpo: Any) -> Any:
    data = place / "set/dpo.jsonl"
    return train_dpo(model(place), settings_of(**dpo), data, place / "sft/adapter", out)


def test_the_reference_is_computed_once_for_the_same_weights(
    place: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[int] = []
    compute = reference._compute
    monkeypatch.setattr(
        reference, "_compute", lambda *args: computed.append(len(args[1])) or compute(*args)
    )
    first = run(place, tmp_path / "a")
    (kept,) = cache.iterdir()
    assert len(json.loads(kept.read_text())) == computed[0] == 12
    again = run(place, tmp_path / "b")
    assert [step["loss"] for step in again.curve] == [step["loss"] for step in first.curve]
    # A cache that was cut off is not trusted, and other weights have another one.
    kept.write_text(kept.read_text()[:-9])
    run(place, tmp_path / "c")
    train_dpo(
        model(place), settings_of(), place / "set/dpo.jsonl", tmp_path / "a/adapter", tmp_path / "d"
    )
    assert computed == [12, 12, 12]
    assert len(list(cache.iterdir())) == 2


def test_a_reference_that_was_stopped_goes_on(
    place: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "_KEPT", 1)
    met: list[int] = []
    one = reference._pairs
    monkeypatch.setattr(reference, "_pairs", lambda *args: met.extend(args[2]) or one(*args))

    def stop(done: int, _total: int, note: str = "") -> None:
        if note.startswith("log-probabilities") and done == 2:
            raise KeyboardInterrupt

    data, adapter = place / "set/dpo.jsonl", place / "sft/adapter"
    small = settings_of().model_copy(
        update={"hardware": settings_of().hardware.model_copy(update={"tokens": 1200})}
    )
    with pytest.raises(KeyboardInterrupt):
        train_dpo(model(place), small, data, adapter, tmp_path / "a", stop)
    (kept,) = cache.iterdir()
    before = len(met)
    assert 0 < before == len(json.loads(kept.read_text())) < 12
    train_dpo(model(place), small, data, adapter, tmp_path / "a")
    assert len(met) == 12 == len(json.loads(kept.read_text()))


def test_margins_and_lengths_are_told_by_class(place: Path, tmp_path: Path) -> None:
    curve = run(place, tmp_path / "out").curve
    classes = {row["violation"] for row in read_rows(place / "set/dpo.jsonl")}
    for kind in ("margin", "accuracy", "length_difference"):
        assert {
            k.partition("/")[2] for step in curve for k in step if k.startswith(kind)
        } == classes
    for step in curve:
        margins = [value for key, value in step.items() if key.startswith("margin/")]
        assert min(margins) - 1e-5 <= step["rewards/margins"] <= max(margins) + 1e-5


def test_a_collapse_ends_training_with_the_adapter_from_before(place: Path, tmp_path: Path) -> None:
    wild = {"learning_rate": 0.4, "sft_weight": 0.0, "epochs": 12, "collapse": 0.5, "warmup": 0.6}
    summary = run(place, tmp_path / "out", save_every=1, **wild)
    assert summary.steps < 36
    assert "nats per token by step" in summary.stopped
    step = int(summary.stopped.rpartition(" ")[2])
    gains = [entry["chosen_gain_per_token"] for entry in summary.curve]
    assert fmean(gains[summary.steps - WINDOW : summary.steps]) < -0.5
    assert fmean(gains[max(0, step - WINDOW) : step]) > -0.25
    trained = load_file(tmp_path / "out/adapter/adapter_model.safetensors")
    first = load_file(place / "sft/adapter/adapter_model.safetensors")
    last = tmp_path / f"out/checkpoints/checkpoint-{summary.steps}/adapter_model.safetensors"
    for name, weights in load_file(last).items():
        assert not torch.equal(trained[name], weights)
        assert not torch.equal(trained[name], first[name])


def test_a_run_that_goes_on_collapses_where_it_would_have(place: Path, tmp_path: Path) -> None:
    wild = {"learning_rate": 0.4, "sft_weight": 0.0, "epochs": 12, "collapse": 0.5, "warmup": 0.6}
    whole = run(place, tmp_path / "whole", save_every=1, **wild)
    stop = whole.steps - 3  # most of the window that tells of the collapse lies before it

    def interrupt(done: int, _total: int, note: str = "") -> None:
        if done == stop and note.startswith("loss"):
            raise KeyboardInterrupt

    data, adapter = place / "set/dpo.jsonl", place / "sft/adapter"
    settings = settings_of(save_every=1, **wild)
    with pytest.raises(KeyboardInterrupt):
        train_dpo(model(place), settings, data, adapter, tmp_path / "cut", interrupt)
    again = train_dpo(model(place), settings, data, adapter, tmp_path / "cut")
    assert again.stopped == whole.stopped
    assert [step["loss"] for step in again.curve] == [step["loss"] for step in whole.curve]


def test_a_collapse_before_any_checkpoint_says_what_to_change(place: Path, tmp_path: Path) -> None:
    wild = {"learning_rate": 0.1, "sft_weight": 0.0, "epochs": 12, "save_every": 100}
    with pytest.raises(TooldrillError, match="before the first checkpoint") as caught:
        run(place, tmp_path / "out", **wild)
    assert "learning_rate" in caught.value.next_step
    assert not (tmp_path / "out/adapter").exists()


@pytest.mark.parametrize("loss", get_args(DpoLoss))
def test_each_of_trls_losses(loss: str, place: Path, tmp_path: Path) -> None:
    options = {"loss": loss, "max_steps": 2, "label_smoothing": 0.1}
    curve = run(place, tmp_path / "out", **options).curve
    assert [step["step"] for step in curve] == [1, 2]
    assert curve[1]["rewards/margins"] != 0


def test_a_collapse_that_a_kill_hid_is_seen_again(tmp_path: Path) -> None:
    """Killed after the last checkpoint and before the adapter: no step is left to see it at."""
    history = [{"chosen_gain_per_token": -0.6} for _ in range(WINDOW)]
    watch = StopOnCollapse(0.5, tmp_path)
    watch.on_train_begin(None, SimpleNamespace(log_history=history, global_step=9), None)
    assert watch.reason == "the chosen replies lost 0.60 nats per token by step 9"
    fine = StopOnCollapse(0.7, tmp_path)
    fine.on_train_begin(None, SimpleNamespace(log_history=history, global_step=9), None)
    assert fine.reason is None


def test_another_number_type_has_its_own_reference(
    place: Path, tmp_path: Path, cache: Path
) -> None:
    half = settings_of(max_steps=1)
    half = half.model_copy(
        update={"hardware": half.hardware.model_copy(update={"dtype": "bfloat16"})}
    )
    data, adapter = place / "set/dpo.jsonl", place / "sft/adapter"
    run(place, tmp_path / "whole", max_steps=1)
    train_dpo(model(place), half, data, adapter, tmp_path / "half")
    whole, rounded = (json.loads(kept.read_text()) for kept in sorted(cache.iterdir(), key=age))
    assert whole.keys() == rounded.keys()
    for key, (chosen, rejected) in whole.items():
        assert rounded[key] == pytest.approx([chosen, rejected], rel=0.05)
        assert rounded[key] != [chosen, rejected]


def age(path: Path) -> int:
    return path.stat().st_mtime_ns
