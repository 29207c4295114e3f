"""No key of a model's config is ignored: the file computes with it, or the model is refused.

Every key that a family's config has is given another value, one at a time, and so is every kind of
rotary scaling. What transformers itself refuses, or what changes nothing, passes as well.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from same_logits import both_logits, export
from tiny_families import GRANITE4, LINEAR, MAMBA, SCALES, SHAPE, make_family
from tiny_llama import make_tokenizer
from transformers import AutoConfig, PreTrainedConfig

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.compare import kl_divergence
from tooldrill.export.layouts.registry import MODEL_TYPES
from tooldrill.export.layouts.stored import StoredTensor

CONVOLVED = ["conv", "full_attention", "conv", "conv", "full_attention"]
MAMBAS = ["mamba", "attention", "mamba", "mamba", "attention"]
WINDOWS = ["sliding_attention", "full_attention"] * 2 + ["sliding_attention"]
GEMMA = {
    "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 16, "layer_types": WINDOWS,
}  # fmt: skip
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "mistral": ("mistral", {}),
    "qwen2": ("qwen2", {}),
    "qwen3": ("qwen3", {}),
    "qwen3.5": ("qwen3_5_text", {**LINEAR, "head_dim": 32, "num_hidden_layers": 4}),
    "gemma3": ("gemma3_text", GEMMA),
    "lfm2": ("lfm2", {"layer_types": CONVOLVED}),
    "granite": ("granite", SCALES),
    "granite4": ("granitemoehybrid", {**GRANITE4, "layer_types": ["attention"] * 5}),
    "granite4 h": ("granitemoehybrid", {**GRANITE4, **MAMBA, "layer_types": MAMBAS}),
    "smollm3": ("smollm3", {}),
    "phi3": ("phi3", {}),
}
# What no model computes with: PreTrainedConfig's own, and how a model is trained.
NOT_COMPUTED = {
    *PreTrainedConfig().to_dict(), "model_type", "vocab_size", "rope_parameters", "use_cache",
    "attention_dropout", "bos_token_id", "eos_token_id", "pad_token_id", "initializer_range",
    "num_hidden_layers", "transformers_version", "embd_pdrop", "resid_pdrop",
    "output_router_logits", "router_aux_loss_coef",
}  # fmt: skip
NOT_COMPUTED -= {"tie_word_embeddings"}
OTHERS: dict[str, list[Any]] = {
    "hidden_act": ["gelu", "relu", "gelu_pytorch_tanh"],
    "hidden_activation": ["gelu", "silu"],
    "head_dim": [8, 24],
    "sliding_window": [24],
    "max_window_layers": [1],
    "layer_types": [
        ["full_attention"] * 5, ["sliding_attention"] * 5, WINDOWS[::-1], CONVOLVED[::-1],
        MAMBAS[::-1], ["linear_attention", "full_attention"] * 2,
    ],
    "attn_logit_softcapping": [3.0],
    "final_logit_softcapping": [3.0],
    "query_pre_attn_scalar": [20],
    "block_ffn_dim_multiplier": [1.3],
    "full_attn_idxs": [[0, 3]],
    "num_local_experts": [4],
    "position_embedding_type": ["rope", "nope", None],
    "time_step_limit": [(0.0, 0.01), (0.1, float("inf"))],
    "no_rope_layers": [[1, 0, 1, 1, 1], [1] * 5, [0] * 5],
    "num_key_value_heads": [1, 4],
    "original_max_position_embeddings": [64],
    "max_position_embeddings": [100],
}  # fmt: skip
THETA = {"rope_theta": 4000.0}
YARN = {
    "rope_type": "yarn", **THETA, "factor": 4.0, "original_max_position_embeddings": 64,
}  # fmt: skip
FACTORS = {"long_factor": [1 + 0.3 * i for i in range(8)], "short_factor": [1.1] * 8}
ROPES: dict[str, dict[str, Any]] = {
    "theta": {"rope_type": "default", **THETA},
    "partial": {"rope_type": "default", **THETA, "partial_rotary_factor": 0.5},
    "linear": {"rope_type": "linear", **THETA, "factor": 3.0},
    "dynamic": {"rope_type": "dynamic", **THETA, "factor": 3.0},
    "yarn": YARN,
    "yarn partial": {**YARN, "partial_rotary_factor": 0.5},
    "yarn betas": {**YARN, "beta_fast": 16.0, "beta_slow": 2.0},
    "yarn scaled": {**YARN, "mscale": 0.7, "mscale_all_dim": 0.5},
    "yarn factor": {**YARN, "attention_factor": 0.7},
    "yarn whole": {**YARN, "truncate": False},
    "llama3": {
        "rope_type": "llama3", **THETA, "factor": 8.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 32,
    },
    "longrope": {
        "rope_type": "longrope", **THETA, **FACTORS, "original_max_position_embeddings": 64,
        "factor": 8.0,
    },
    "longrope factor": {
        "rope_type": "longrope", **THETA, **FACTORS, "original_max_position_embeddings": 64,
        "attention_factor": 1.3,
    },
    "proportional": {"rope_type": "proportional", **THETA, "partial_rotary_factor": 0.5},
}  # fmt: skip
# Where llama.cpp has no window, the file's context ends with it.
WITHIN = {("mistral", "sliding_window"), ("phi3", "sliding_window")}
# Of weights kept in F32: rounding alone. What is ignored makes thousands of times as much.
LARGEST_KL = 5e-6
tokenizer = make_tokenizer()


def others(key: str, value: Any) -> list[Any]:
    if key in OTHERS:
        return OTHERS[key]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [2 * value]
    if isinstance(value, float):
        return [1.7 * value + 0.01]
    pytest.fail(f"a key that is not known: {key} = {value!r}")


def altered(kind: str, own: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The family's config with one thing changed, each time another."""
    config = AutoConfig.for_model(kind, **{**SHAPE, "vocab_size": 100, "pad_token_id": 1, **own})
    for key, value in config.to_dict().items():
        if key not in NOT_COMPUTED:
            for other in others(key, value):
                yield f"{key}={other}", {key: other}
    for name, rope in ROPES.items():
        yield name, {"rope_parameters": copy.deepcopy(rope)}  # configs write into it


def distance(kind: str, own: dict[str, Any], path: Path, key: str) -> float | None:
    """How far the file is from the model, mean KL in nats; None where one of them says no."""
    count = 20 if (kind, key) in WITHIN else 90
    try:
        model = make_family(kind, tokenizer, **own)
        with torch.no_grad():
            model(torch.tensor([[1] * count]))
    except Exception:
        return None
    try:
        export(model, tokenizer, path)
    except TooldrillError:
        return None
    return float(kl_divergence(*both_logits(model, path, count)).mean())


@pytest.mark.slow
@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_key_is_computed_with_or_refused(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StoredTensor, "dtype", np.dtype(np.float32))
    kind, own = FAMILIES[family]
    found = {
        name: distance(kind, {**own, **other}, tmp_path / "m.gguf", next(iter(other)))
        for name, other in altered(kind, own)
    }
    kept = {name: far for name, far in found.items() if far is not None}
    assert {name: far for name, far in kept.items() if not far < LARGEST_KL} == {}
    assert {"tie_word_embeddings=False", "theta"} <= set(kept)
    altered_norms = [name for name in kept if name.startswith(("rms_norm_eps", "norm_eps"))]
    assert bool(altered_norms) == (family != "qwen3.5")


def test_every_family_is_here() -> None:
    multimodal = {"qwen3_5", "gemma3"}
    assert {kind for kind, _ in FAMILIES.values()} == set(MODEL_TYPES) - multimodal
