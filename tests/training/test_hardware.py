"""What the machine is asked for: chosen with a reason, kept by a run that goes on, overridable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import TrainingArguments

from tooldrill.agent.errors import TooldrillError
from tooldrill.training import hardware
from tooldrill.training.activations import (
    EAGER_COPIES,
    GAPS_ON_CPU,
    Computing,
    Decoder,
    activation_bytes,
    kept_numbers,
    tokens_held,
)
from tooldrill.training.engine.tree_attention import Kernel
from tooldrill.training.hardware import Hardware, Shape, fit_memory, settle
from tooldrill.training.memory import free_memory, left_by_cgroups
from tooldrill.training.quantized_base import require_optimizer, require_quantization
from tooldrill.training.settings import HardwareSettings, SftSettings
from tooldrill.training.setup import _unloaded
from tooldrill.training.trainer_setup import keep_to_device, require_trackers

DECODER = Decoder(layers=30, hidden=576, queries=576, keys=192, inner=1536, vocabulary=49_152)
SHAPE = Shape(DECODER, longest=1000)
PLAIN = Computing(gpu=False, half=False)
EACH = activation_bytes(DECODER, PLAIN, 1, checkpointing=False)
SETTINGS: dict[str, Any] = {  # in the order of the reasons
    "device": "cpu",
    "dtype": "float32",
    "threads": 3,
    "attention": "dense",
    "gradient_checkpointing": True,
    "tokens": 1777,
}


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Any:
    def give(size: float) -> None:
        monkeypatch.setattr(hardware, "free_memory_of", lambda _device: size)

    return give


@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_set_wins_and_says_so(name: str) -> None:
    values = [True, False] if name == "gradient_checkpointing" else [SETTINGS[name]]
    for value in values:
        settled = settle(HardwareSettings(**{"device": "cpu", name: value}), SHAPE)
        assert getattr(settled, name) == value
        assert settled.reasons[list(SETTINGS).index(name)].endswith(": set")


def test_memory_decides_tokens_and_checkpointing(free: Any) -> None:
    settings = HardwareSettings(device="cpu", dtype="float32")
    free(2 * 1500.5 * EACH)
    some = settle(settings, SHAPE)
    assert (some.tokens, some.gradient_checkpointing) == (1500, False)
    free(2 * 900.5 * EACH)
    short = settle(settings, SHAPE)
    assert short.gradient_checkpointing
    assert short.tokens > 1500
    assert "hold 900 tokens, the longest example has 1000" in short.reasons[4]
    free(1e15)
    assert settle(settings, SHAPE).tokens == 8192
    free(1e6)
    least = settle(settings, SHAPE)
    assert least.tokens == SHAPE.longest
    assert "memory may run out" in least.reasons[5]
    # Weights that are still to come are taken off.
    free(2 * 1500.5 * EACH + 5e8)
    assert settle(settings, Shape(DECODER, 1000, unloaded=5e8)).tokens == 1500


def test_memory_is_fitted_anew_to_rows_that_share_nothing(free: Any) -> None:
    settings = HardwareSettings(device="cpu", dtype="float32")
    free(2 * 1500.5 * EACH)
    settled = settle(settings, SHAPE)
    longer = fit_memory(settled, settings, Shape(DECODER, 1600))
    assert longer.gradient_checkpointing
    assert longer.tokens > 1600
    assert longer.reasons[:4] == settled.reasons[:4]
    assert len(longer.reasons) == len(SETTINGS)
    assert "the longest example has 1600" in longer.reasons[4]
    # As many numbers again as a layer keeps otherwise, and gaps as before.
    kept = HardwareSettings(device="cpu", dtype="float32", gradient_checkpointing=False)
    scores = round(kept_numbers(DECODER, fused=True) / EAGER_COPIES)
    twice = int(1500.5 * (1 + GAPS_ON_CPU) / (2 + GAPS_ON_CPU))
    eager = fit_memory(settled, kept, Shape(DECODER, 1, scores=scores))
    assert eager.tokens == twice
    carrying = Shape(replace(DECODER, carrying=30), 1)
    assert fit_memory(settled, kept, carrying).tokens == twice
    # What is set, or was settled when the run began, holds.
    few = fit_memory(settled, HardwareSettings(tokens=100), SHAPE)
    assert few.tokens == 100
    assert few.reasons[5].endswith("set; the longest example, of 1000, is computed alone")
    assert fit_memory(settled, settings, Shape(DECODER, 1600), settled).tokens == 1500


@given(
    widths=st.tuples(*[st.integers(8, 9000)] * 4),
    layers=st.integers(1, 60),
    carrying=st.integers(0, 60),
    how=st.builds(Computing, gpu=st.booleans(), half=st.booleans(), plain=st.booleans()),
    room=st.floats(1e6, 1e12),
    checkpointing=st.booleans(),
    scores=st.integers(0, 10**6),
)
def test_what_is_held_fits(
    widths: Any,
    layers: int,
    carrying: int,
    how: Computing,
    room: float,
    checkpointing: bool,
    scores: int,
) -> None:
    decoder = Decoder(layers, *widths, vocabulary=50_000, carrying=min(carrying, layers))
    options = {"checkpointing": checkpointing, "scores": scores}
    held = tokens_held(room, decoder, how, **options)  # type: ignore[arg-type]
    assert activation_bytes(decoder, how, held, **options) <= room * (1 + 1e-9)  # type: ignore[arg-type]
    one_more = activation_bytes(decoder, Computing(True, how.half, how.plain), held + 1, **options)  # type: ignore[arg-type]
    assert not how.gpu or one_more > room * (1 - 1e-9)


def test_every_choice_has_a_reason() -> None:
    settled = settle(HardwareSettings(), SHAPE)
    assert len(settled.reasons) == len(SETTINGS)
    assert all(": " in reason for reason in settled.reasons)
    if not torch.cuda.is_available():
        assert (settled.device, settled.attention) == ("cpu", "branches")
        assert settled.dtype in settled.reasons[1]
        assert f"{settled.threads} threads" in settled.reasons[2]


def test_a_run_that_goes_on_keeps_what_was_settled(free: Any) -> None:
    free(1e15)
    before = Hardware("cpu", "bfloat16", 5, True, "dense", 1333, ())
    kept = settle(HardwareSettings(), SHAPE, before)
    assert (kept.dtype, kept.threads, kept.attention, kept.tokens) == (
        "bfloat16", 5, "dense", 1333,
    )  # fmt: skip
    assert all(reason.endswith("as when this run began") for reason in kept.reasons)
    assert settle(HardwareSettings(tokens=100), SHAPE, before).tokens == 100


def test_a_run_that_began_elsewhere_says_so() -> None:
    before = Hardware("cuda:99", "bfloat16", 5, True, "flex", 333, ())
    with pytest.raises(TooldrillError, match="this run began on cuda:99") as caught:
        settle(HardwareSettings(), SHAPE, before)
    assert "--force" in caught.value.next_step
    with pytest.raises(TooldrillError, match="device=cuda:98"):
        settle(HardwareSettings(device="cuda:98"), SHAPE, before)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "cuda:x", "cpu:1"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(TooldrillError, match=f"device={device}") as caught:
        settle(HardwareSettings(device=device), SHAPE)
    assert "cpu" in caught.value.next_step


@pytest.mark.parametrize(
    ("settings", "step"),
    [
        ({"attention": "flex"}, "training.hardware.attention=branches"),
        ({"dtype": "float16"}, "training.hardware.dtype=float32"),
    ],
)
def test_what_torch_cannot_do_on_a_cpu_is_refused(settings: dict[str, Any], step: str) -> None:
    with pytest.raises(TooldrillError) as caught:
        settle(HardwareSettings(device="cpu", **settings), SHAPE)
    assert step in caught.value.next_step


def test_four_bits_and_paged_optimizers_are_refused_where_they_make_no_sense() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(TooldrillError, match="no CUDA device here") as caught:
        require_quantization(HardwareSettings())
    assert "training.hardware.device=cpu" in caught.value.next_step
    for name in ("paged_adamw_8bit", "adamw_8bit", "paged_lion_32bit", "ademamix", "rmsprop_bnb"):
        with pytest.raises(TooldrillError, match="CUDA") as caught:
            require_optimizer(SftSettings(optimizer=name), HardwareSettings())
        assert "adamw_torch" in caught.value.next_step
    for name in ("adamw_torch", "adamw_torch_8bit", "rmsprop"):
        require_optimizer(SftSettings(optimizer=name), HardwareSettings())


def test_a_missing_tracker_is_named_before_anything_is_loaded() -> None:
    with pytest.raises(TooldrillError, match="trackerless is not installed") as caught:
        require_trackers(["tensorboard", "trackerless"])
    assert caught.value.next_step == "pip install trackerless"


def test_a_gpu_of_one_process_is_the_one_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    kernel: Kernel = "dense"
    for device, wanted in (("cuda:1", 1), ("cuda", 0)):
        arguments = TrainingArguments(output_dir=str(tmp_path), use_cpu=True)
        arguments._n_gpu = 2  # as Transformers finds it: it would spread the model over both
        settled = Hardware(device, "float32", 1, False, kernel, 100, ())
        keep_to_device(arguments, settled)
        assert (arguments.device, arguments.n_gpu) == (torch.device("cuda", wanted), 1)
        assert chosen.pop() == arguments.device


def test_weights_that_are_still_to_come_are_counted() -> None:
    model, kernel = torch.nn.Linear(10, 7), "dense"
    for device, size in (("cpu", 0), ("cuda:1", 4 * 77), ("mps", 4 * 77)):
        assert _unloaded(model, Hardware(device, "float32", 1, False, kernel, 100, ())) == size  # type: ignore[arg-type]


def test_control_groups_limit_memory(tmp_path: Path) -> None:
    inner = tmp_path / "jobs/mine"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("max\n")
    (inner / "memory.current").write_text("100\n")
    (inner.parent / "memory.max").write_text("5000\n")
    (inner.parent / "memory.current").write_text("3000\n")
    (inner.parent / "memory.stat").write_text("anon 2000\ninactive_file 700\nactive_file 50\n")
    (tmp_path.parent / "memory.max").write_text("1\n")  # above the root, so no group at all
    (tmp_path.parent / "memory.current").write_text("1\n")
    assert list(left_by_cgroups(tmp_path, "0::/jobs/mine\n")) == [2700]
    assert list(left_by_cgroups(tmp_path, "4:memory:/jobs\n")) == []
    assert 0 < free_memory() < 1e15
