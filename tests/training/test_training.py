"""SFT and DPO with TRL on a tiny llama: what is learned, what resumes, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny_llama import save_tiny

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.render import ChatTemplate, bundled_template
from tooldrill.data.sets.build import build
from tooldrill.data.sets.reading import read_rows
from tooldrill.data.settings import DataSettings
from tooldrill.training.base_model import load_tokenizer
from tooldrill.training.checkpoints import latest_checkpoint
from tooldrill.training.dpo import train_dpo
from tooldrill.training.examples import IGNORED, Encoder
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import (
    DpoSettings,
    HardwareSettings,
    LoraSettings,
    ModelSettings,
    SftSettings,
    TrainingSettings,
)
from tooldrill.training.sft import train_sft


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelSettings:
    folder = save_tiny(tmp_path_factory.mktemp("base") / "tiny", max_position_embeddings=4096)
    return ModelSettings(path=str(folder))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "set"
    build(DataSettings(worlds=["files"], traces=16, pairs=8, tools=(2, 3), sharing=4), folder)
    return folder


@pytest.fixture(scope="module")
def encoder(model: ModelSettings) -> Encoder:
    return Encoder(load_tokenizer(resolve(model)), ChatTemplate(bundled_template()), 4096)


def settings(**sft: Any) -> TrainingSettings:
    return TrainingSettings(
        lora=LoraSettings(rank=4, alpha=8),
        hardware=HardwareSettings(dtype="float32", threads=1),
        max_length=4096,
        sft=SftSettings(**{"batch_size": 4, "learning_rate": 1e-2, "save_every": 1, **sft}),
        dpo=DpoSettings(batch_size=4, learning_rate=1e-2, max_steps=2),
    )


@pytest.mark.slow
def test_bfloat16_learns_what_float32_learns(
    model: ModelSettings, data: Path, tmp_path: Path
) -> None:
    curves = {}
    for dtype in ("float32", "bfloat16"):
        chosen = settings(max_steps=4, warmup=0.0)
        chosen = chosen.model_copy(update={"hardware": HardwareSettings(dtype=dtype, threads=1)})
        summary = train_sft(model, chosen, data / "sft.jsonl", tmp_path / dtype)
        assert "shared prefixes: computed once" in summary.choices
        curves[dtype] = [entry["loss"] for entry in summary.curve]
    assert curves["float32"][3] < curves["float32"][0]
    assert curves["bfloat16"] == pytest.approx(curves["float32"], rel=0.01)


@pytest.mark.parametrize("protocol", ["native", "react_json"])
def test_exactly_the_right_replies_are_learned(
    protocol: str, encoder: Encoder, data: Path, model: ModelSettings
) -> None:
    tokenizer, spoken = load_tokenizer(resolve(model)), get_protocol(protocol)
    for row in read_rows(data / "sft.jsonl"):
        (example,) = encoder.example(row, spoken).sequences
        learned = [i for i, label in enumerate(example.labels) if label != IGNORED]
        assert [example.labels[i] for i in learned] == [example.input_ids[i] for i in learned]
        wanted = [
            spoken.write(m) + "<|im_end|>"
            for m in row["messages"]
            if m["role"] == "assistant" and m.get("weight", 1) != 0
        ]
        assert tokenizer.decode([example.input_ids[i] for i in learned]) == "".join(wanted)


def test_a_turn_counts_as_its_weight_says(encoder: Encoder, data: Path) -> None:
    native = get_protocol("native")
    row = next(r for r in read_rows(data / "sft.jsonl") if len(learned_turns(r)) > 1)
    first, *others = learned_turns(row)
    once = encoder.example(row, native).sequences[0]
    first["weight"] = 2.5
    (example,) = encoder.example(row, native).sequences
    assert example.labels == once.labels
    learned = [i for i, label in enumerate(example.labels) if label != IGNORED]
    heavy = [i for i in learned if example.weights[i] == 2.5]
    said = encoder._tokenizer.decode([example.input_ids[i] for i in heavy])
    assert said == native.write(first) + "<|im_end|>"
    assert all(example.weights[i] == 1 for i in learned if i not in heavy)
    assert others


def learned_turns(row: dict[str, Any]) -> list[dict[str, Any]]:
    turns = [m for m in row["messages"] if m["role"] == "assistant"]
    return [m for m in turns if m.get("weight", 1) != 0]


def test_both_protocols_are_learned_in_one_run(
    model: ModelSettings, data: Path, tmp_path: Path
) -> None:
    both = settings(protocols=["native", "react_json"], save_every=100)
    summary = train_sft(model, both, data / "sft.jsonl", tmp_path)
    assert summary.examples == 2 * 16
    assert summary.steps == 8
    alone = settings(protocols=["react_json"], save_every=100)
    spoken = train_sft(model, alone, data / "sft.jsonl", tmp_path / "alone")
    assert spoken.learned < summary.learned


def test_pieces_are_the_tokens_of_the_whole_text(encoder: Encoder, data: Path) -> None:
    template, native = ChatTemplate(bundled_template()), get_protocol("native")
    for row in read_rows(data / "sft.jsonl"):
        text = template.render(row["messages"], row["tools"], native, add_generation_prompt=False)
        whole = encoder._tokenizer(text, add_special_tokens=False)["input_ids"]
        assert encoder.example(row, native).rows == [whole]


def test_a_pair_differs_only_after_its_prompt(encoder: Encoder, data: Path) -> None:
    for row in read_rows(data / "dpo.jsonl"):
        pair = encoder.preference(row, get_protocol("native"))
        assert pair.chosen_ids != pair.rejected_ids
        assert pair.chosen_ids[-1] == pair.rejected_ids[-1]


def test_an_example_that_is_too_long_is_refused(model: ModelSettings, data: Path) -> None:
    short = Encoder(load_tokenizer(resolve(model)), ChatTemplate(bundled_template()), 64)
    with pytest.raises(TooldrillError, match="more than training") as caught:
        short.example(read_rows(data / "sft.jsonl")[0], get_protocol("native"))
    assert "training.max_length=" in caught.value.next_step


def adapter(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter/adapter_model.safetensors")


@pytest.fixture(scope="module")
def trained(model: ModelSettings, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sft")
    train_sft(model, settings(epochs=2), data / "sft.jsonl", out)
    return out


def test_sft_lowers_the_loss_and_writes_what_the_report_needs(trained: Path) -> None:
    curve = [json.loads(line) for line in (trained / "curve.jsonl").read_text().splitlines()]
    assert len(curve) == 8
    assert curve[-1]["loss"] < 0.9 * curve[0]["loss"]
    names = {name.split(".")[-3] for name in adapter(trained)}
    assert names == {f"{n}_proj" for n in ("q", "k", "v", "o", "gate", "up", "down")}
    (events,) = trained.rglob("events.out.tfevents.*")
    board = EventAccumulator(str(events))
    board.Reload()
    assert [e.step for e in board.Scalars("train/loss")] == list(range(1, 9))


def test_the_same_seed_gives_the_same_adapter(
    trained: Path, model: ModelSettings, data: Path, tmp_path: Path
) -> None:
    train_sft(model, settings(epochs=2), data / "sft.jsonl", tmp_path)
    for name, weights in adapter(trained).items():
        assert torch.equal(weights, adapter(tmp_path)[name])


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(
    trained: Path, model: ModelSettings, data: Path, tmp_path: Path
) -> None:
    steps: list[int] = []

    def stop(done: int, total: int, note: str = "") -> None:
        steps.append(done)
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_sft(model, settings(epochs=2), data / "sft.jsonl", tmp_path, stop)
    assert not (tmp_path / "adapter").exists()
    # A checkpoint that was cut off while it was written is passed over and removed.
    broken = tmp_path / "checkpoints/checkpoint-7"
    shutil.copytree(tmp_path / "checkpoints/checkpoint-5", broken)
    (broken / "complete").unlink()
    resumed: list[int] = []
    train_sft(
        model, settings(epochs=2), data / "sft.jsonl", tmp_path,
        lambda done, total, note="": resumed.append(done),
    )  # fmt: skip
    assert resumed[0] == 5
    for name, weights in adapter(trained).items():
        torch.testing.assert_close(adapter(tmp_path)[name], weights, rtol=1e-4, atol=1e-6)
    unbroken, gone_on = (
        [json.loads(line)["loss"] for line in (f / "curve.jsonl").read_text().splitlines()]
        for f in (trained, tmp_path)
    )
    assert gone_on == pytest.approx(unbroken, rel=1e-4)


def test_only_marked_checkpoints_count(tmp_path: Path) -> None:
    for number in (2, 10, 9):
        (tmp_path / f"checkpoint-{number}").mkdir()
    assert latest_checkpoint(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    for number in (2, 10, 9):
        (tmp_path / f"checkpoint-{number}").mkdir()
        (tmp_path / f"checkpoint-{number}/complete").touch()
    assert latest_checkpoint(tmp_path) == tmp_path / "checkpoint-10"


def test_dpo_starts_from_the_sft_adapter_as_its_reference(
    trained: Path, model: ModelSettings, data: Path, tmp_path: Path
) -> None:
    summary = train_dpo(model, settings(), data / "dpo.jsonl", trained / "adapter", tmp_path)
    first, last = summary.curve
    # Before the first update the policy is the reference: no margin, and a loss of log 2.
    assert first["rewards/margins"] == pytest.approx(0.0, abs=1e-5)
    assert last["rewards/margins"] != pytest.approx(0.0, abs=1e-5)
    assert adapter(tmp_path).keys() == adapter(trained).keys()


def test_dpo_without_an_adapter_says_what_to_run(
    model: ModelSettings, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(TooldrillError, match="no adapter") as caught:
        train_dpo(model, settings(), data / "dpo.jsonl", tmp_path / "none", tmp_path / "out")
    assert "train sft" in caught.value.next_step
