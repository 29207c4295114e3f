"""Estimates know beforehand whether a model shares prefixes, and how many processes train it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from published_shapes import MODELS

from tooldrill.agent.engines.gguf_header import GgufHeader
from tooldrill.config import RunConfig
from tooldrill.estimates import START_SECONDS, estimate
from tooldrill.machine import this_machine
from tooldrill.model_shape import _config_of_gguf, model_shape, shape_of_config
from tooldrill.training.activations import Decoder
from tooldrill.training.config_shape import decoder_of_config, shares_prefixes
from tooldrill.training.jobs import launched_here


def config(**changes: object) -> RunConfig:
    return RunConfig.model_validate({"name": "a", **changes})


def test_configs_tell_who_shares_prefixes() -> None:
    found = {name: shape_of_config(published).shares for name, published in MODELS.items()}
    apart = {"qwen3.5-0.8b", "qwen3.5-2b", "qwen3.5-4b", "lfm2-1.2b"}
    assert found == {name: name not in apart for name in MODELS}
    llama = MODELS["smollm2-135m"]
    for changes in (
        {"model_type": "falcon_h1", "mamba_d_ssm": 64},
        {"model_type": "gemma2"},
        {"model_type": "gpt_oss"},
        {"layer_types": ["full_attention", "chunked_attention"] * 15},
    ):
        assert shares_prefixes({**llama, **changes}) is False
    assert (
        shares_prefixes({**llama, "model_type": "gemma2", "attn_logit_softcapping": None}) is None
    )
    assert shares_prefixes({**llama, "model_type": "brand_new"}) is None


def test_a_header_tells_layers_that_are_no_attention() -> None:
    """As LFM2's GGUF has it: no key heads where there is no attention."""
    metadata = {
        "general.architecture": "lfm2", "lfm2.block_count": 4, "lfm2.embedding_length": 64,
        "lfm2.attention.head_count": 4, "lfm2.attention.head_count_kv": [0, 2, 0, 2],
        "lfm2.feed_forward_length": 96, "tokenizer.ggml.tokens": ["a"] * 7,
    }  # fmt: skip
    config = _config_of_gguf(GgufHeader(3, metadata, ()))
    assert shares_prefixes(config) is False
    assert decoder_of_config(config) == Decoder(4, 64, 64, 32, 96, 7, carrying=2)


def lfm2(folder: Path, **changes: object) -> dict[str, str]:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({**MODELS["lfm2-1.2b"], **changes}))
    return {"path": str(folder)}


def test_where_nothing_is_shared_all_is_computed(tmp_path: Path) -> None:
    """The same sizes once with layers that carry a state and once without, of an unknown name."""
    hardware = {"device": "cpu", "gradient_checkpointing": True, "tokens": 2048}
    training = {"hardware": hardware, "dpo": {"batch_size": 4}, "sft": {"batch_size": 4}}
    apart = estimate(config(model=lfm2(tmp_path / "a"), training=training))
    kinds = ["full_attention"] * 16
    model = lfm2(tmp_path / "b", layer_types=kinds, full_attn_idxs=None, model_type="other",
                 intermediate_size=8192)  # fmt: skip
    shared = estimate(config(model=model, training=training))
    for stage, least, most in (("sft", 1.4, 2.2), ("dpo", 3.2, 6.0)):
        assert apart[stage].tokens == shared[stage].tokens
        seconds = [found[stage].seconds - START_SECONDS for found in (apart, shared)]  # type: ignore[operator]
        assert least < seconds[0] / seconds[1] < most
        assert apart[stage].memory > shared[stage].memory  # type: ignore[operator]
        assert apart[stage].note.endswith("cannot share prefixes: each row is computed whole")
        assert "is assumed" in shared[stage].note
    assert estimate(config())["sft"].note == ""


def test_a_config_in_other_words_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", "n_embd": 64}))
    assert model_shape(str(tmp_path)) is None
    assert estimate(config(model={"path": str(tmp_path)}))["sft"].seconds is None


@pytest.mark.parametrize(
    ("launcher", "processes"),
    [
        (None, 1),
        ("torchrun --nproc-per-node 2", 2),
        ("torchrun --nproc_per_node=4", 4),
        ("torchrun", 1),
        ("torchrun --nproc-per-node gpu", None),
        ("accelerate launch --multi_gpu --num_processes 3", 3),
        ("accelerate launch --config_file fsdp.yaml", None),
        ("accelerate launch --num_machines 2 --num_processes 8", None),
    ],
)
def test_processes_of_a_launcher_share_a_machines_memory(
    launcher: str | None, processes: int | None
) -> None:
    assert launched_here(launcher) == processes
    hardware = {"device": "cpu", "gradient_checkpointing": True, "tokens": 256}
    found = estimate(config(training={"launcher": launcher, "hardware": hardware}))["sft"]
    assert found.processes == processes
    assert found.free == pytest.approx(this_machine().available / (processes or 1))
