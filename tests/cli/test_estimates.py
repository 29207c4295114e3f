"""Estimates follow the config and the model; what they rest on is measured, not asserted here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tooldrill.config import RunConfig
from tooldrill.estimates import estimate
from tooldrill.model_shape import ModelShape, model_shape


def config(**changes: object) -> RunConfig:
    return RunConfig.model_validate({"name": "a", **changes})


def test_the_embedded_model_is_measured_from_its_header() -> None:
    shape = model_shape("smollm2-135m")
    assert shape == ModelShape(
        parameters=134_515_008, layers=30, hidden=576, kv_width=192, vocabulary=49_152
    )


def test_a_folder_is_measured_without_loading_it(tmp_path: Path) -> None:
    shape = {
        "hidden_size": 8, "num_attention_heads": 4, "num_key_value_heads": 2,
        "num_hidden_layers": 3, "vocab_size": 11,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(shape))
    save_file({"a": np.zeros((5, 7), np.float32)}, tmp_path / "model-1.safetensors")
    save_file({"b": np.zeros(4, np.float16)}, tmp_path / "model-2.safetensors")
    assert model_shape(str(tmp_path)) == ModelShape(39, 3, 8, 4, 11)


def test_work_grows_with_data_and_not_with_the_machine() -> None:
    small = estimate(config(data={"traces": 100, "pairs": 50}))
    large = estimate(config(data={"traces": 200, "pairs": 50}))
    assert large["sft"].tokens == 2 * small["sft"].tokens  # type: ignore[operator]
    assert large["dpo"] == small["dpo"]
    capped = estimate(config(training={"sft": {"max_steps": 1, "batch_size": 4}}))
    assert capped["sft"].tokens == pytest.approx(small["sft"].tokens / 25, rel=0.01)  # type: ignore[operator]


def test_memory_grows_with_what_is_held_at_once() -> None:
    narrow = estimate(config(training={"dpo": {"batch_size": 1}}, eval={"engine": {"parallel": 1}}))
    wide = estimate(config(training={"dpo": {"batch_size": 8}}, eval={"engine": {"parallel": 8}}))
    assert wide["dpo"].memory > narrow["dpo"].memory  # type: ignore[operator]
    # Seven more contexts of 2048 tokens: keys and values, two bytes each, 30 layers of 192.
    grown = wide["eval"].memory - narrow["eval"].memory  # type: ignore[operator]
    assert grown == 7 * 2048 * 30 * 192 * 2 * 2


def test_a_model_that_is_not_here_has_no_time() -> None:
    found = estimate(config(model={"path": "org/name"}))
    assert found["sft"].tokens is not None
    assert found["sft"].seconds is None
    assert found["data"].seconds is not None
