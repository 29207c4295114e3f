"""Every family's F16 file computes what its transformers model computes, at every position."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from same_logits import assert_same, both_logits, export, noise
from tiny_families import GRANITE4, LINEAR, MAMBA, SCALES, SHAPE, make_family, roughen
from tiny_llama import make_tokenizer
from transformers import (
    AutoConfig,
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Qwen3_5Config,
    Qwen3_5ForConditionalGeneration,
)

from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.export.compare import kl_divergence
from tooldrill.export.layouts.registry import MODEL_TYPES, layout_for
from tooldrill.export.layouts.stored import StoredTensor
from tooldrill.export.unsupported import UnsupportedError
from tooldrill.training.base_model import load_model
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

UNTIED = {"tie_word_embeddings": False}
BIASED = {"attention_bias": True}
YARN = {
    "rope_type": "yarn", "rope_theta": 5000.0, "factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 5000.0, "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 32,
}  # fmt: skip
LOCAL_AND_GLOBAL = {
    "full_attention": {"rope_type": "linear", "rope_theta": 100000.0, "factor": 4.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 3000.0},
}
MIXED = [0, 1, 0, 0, 1]
WINDOWED = [("sliding_attention", "full_attention")[kind] for kind in MIXED]
CONVOLVED = [("conv", "full_attention")[kind] for kind in MIXED]
MAMBAS = [("mamba", "attention")[kind] for kind in MIXED]
DELTAS = [("linear_attention", "full_attention")[1 - kind] for kind in MIXED]


def gemma(head: int, **own: Any) -> dict[str, Any]:
    scaled = {"head_dim": head, "query_pre_attn_scalar": head, "sliding_window": 16}
    return {**scaled, "layer_types": WINDOWED, "rope_parameters": LOCAL_AND_GLOBAL, **own}


def long_rope(pairs: int, trained: int, **own: Any) -> dict[str, Any]:
    """Phi's scaling: the text is longer than `trained` or it is not."""
    rope = {
        "rope_type": "longrope", "rope_theta": 5000.0, "original_max_position_embeddings": trained,
        "long_factor": [1 + 0.3 * i for i in range(pairs)],
        "short_factor": [1 + 0.1 * i for i in range(pairs)], **own,
    }  # fmt: skip
    return {"rope_parameters": rope, "original_max_position_embeddings": trained}


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "llama 3.2": ("llama", {"rope_parameters": LLAMA3, "head_dim": 32}),
    "llama biased": ("llama", {**BIASED, **UNTIED, "mlp_bias": True}),
    "llama yarn": ("llama", {"rope_parameters": YARN, "num_key_value_heads": 1}),
    "mistral": ("mistral", {"head_dim": 32, "sliding_window": 400}),
    "qwen2": ("qwen2", {}),
    "qwen2 yarn": ("qwen2", {"rope_parameters": YARN, **UNTIED}),
    "qwen3": ("qwen3", {"head_dim": 32}),
    "qwen3 untied": ("qwen3", {"head_dim": 24, **UNTIED}),
    "qwen3.5": ("qwen3_5_text", {**LINEAR, "head_dim": 32, "num_hidden_layers": 4}),
    "qwen3.5 other order": (
        "qwen3_5_text",
        {**LINEAR, **UNTIED, "linear_num_value_heads": 2, "head_dim": 16, "layer_types": DELTAS},
    ),
    "qwen3.5 yarn": (
        "qwen3_5_text",
        {**LINEAR, "head_dim": 32, "num_hidden_layers": 4,
         "rope_parameters": {**YARN, "partial_rotary_factor": 0.5}},
    ),
    "gemma3": ("gemma3_text", gemma(32)),
    "gemma3 capped": ("gemma3_text", gemma(16, **UNTIED, final_logit_softcapping=5.0)),
    "gemma3 unwindowed": ("gemma3_text", gemma(16, layer_types=["full_attention"] * 5)),
    "lfm2": ("lfm2", {"layer_types": CONVOLVED}),
    "lfm2 own width": (
        "lfm2",
        {"layer_types": CONVOLVED, "conv_L_cache": 4, "block_auto_adjust_ff_dim": False, **UNTIED},
    ),
    "lfm2 yarn": ("lfm2", {"layer_types": CONVOLVED, "rope_parameters": YARN}),
    "granite": ("granite", SCALES),
    "granite llama3": ("granite", {**SCALES, "rope_parameters": LLAMA3}),
    "granite4 h rotated": (
        "granitemoehybrid",
        {**GRANITE4, **MAMBA, "layer_types": MAMBAS, "position_embedding_type": "rope",
         "rope_parameters": LLAMA3},
    ),
    "granite biased": ("granite", {**SCALES, **BIASED, **UNTIED, "mlp_bias": True, "head_dim": 32}),
    "granite4": (
        "granitemoehybrid",
        {**GRANITE4, "layer_types": ["attention"] * 5, "position_embedding_type": "rope"},
    ),
    "granite4 unrotated": (
        "granitemoehybrid", {**GRANITE4, **BIASED, "layer_types": ["attention"] * 5}
    ),
    "granite4 h": ("granitemoehybrid", {**GRANITE4, **MAMBA, "layer_types": MAMBAS}),
    "granite4 h in groups": (
        "granitemoehybrid",
        {
            **GRANITE4, **MAMBA, **UNTIED, "layer_types": MAMBAS, "mamba_n_groups": 2,
            "position_embedding_type": "rope",
        },
    ),
    "smollm3": ("smollm3", {}),
    "smollm3 yarn": ("smollm3", {"rope_parameters": YARN, **UNTIED}),
    "phi3": ("phi3", UNTIED),
    "phi3 short": (
        "phi3", {**long_rope(6, 512, partial_rotary_factor=0.75), "max_position_embeddings": 2048}
    ),
    "phi3 long": ("phi3", {**long_rope(8, 64), "max_position_embeddings": 1024}),
}  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return make_tokenizer()


@pytest.mark.parametrize("case", list(CASES))
def test_logits_are_the_models(case: str, tokenizer: Any, tmp_path: Path) -> None:
    kind, own = CASES[case]
    model = make_family(kind, tokenizer, **own)
    path = export(model, tokenizer, tmp_path / "m.gguf")
    assert_same(*both_logits(model, path), noise=noise(case))
    names = {t.name for t in read_gguf_header(path).tensors}
    assert ("output.weight" in names) == (own.get("tie_word_embeddings") is False)


@pytest.mark.parametrize("case", list(CASES))
def test_with_weights_unrounded_nothing_is_left_of_the_difference(
    case: str, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StoredTensor, "dtype", np.dtype(np.float32))
    kind, own = CASES[case]
    model = make_family(kind, tokenizer, **own)
    expected, given = both_logits(model, export(model, tokenizer, tmp_path / "m.gguf"))
    # GELU is a table of F16 values in llama.cpp.
    assert kl_divergence(expected, given).mean() < (1e-6 if "gemma" in case else 1e-7)
    assert np.abs(expected - given).max() < (0.01 if "gemma" in case else 0.005)


def test_every_family_has_a_case() -> None:
    tested = {kind for kind, _ in CASES.values()}
    assert set(MODEL_TYPES) - tested == {"qwen3_5", "gemma3"}, "multimodal, tested below"


@pytest.mark.parametrize("case", list(CASES))
def test_tensors_are_planned_without_being_made(case: str, tokenizer: Any) -> None:
    kind, own = CASES[case]
    model = make_family(kind, tokenizer, **own)
    models_own = {weights.data_ptr() for weights in model.state_dict().values()}
    for tensor in layout_for(model.config).tensors(model):
        assert tensor.source.data_ptr() in models_own or tensor.name.startswith("rope_")
        array = tensor.array()
        assert (tensor.shape, tensor.dtype, tensor.bytes) == (
            array.shape, array.dtype, array.nbytes,
        )  # fmt: skip


def multimodal(name: str, tokenizer: Any) -> Any:
    ids = {f"{n}_token_id": getattr(tokenizer, f"{n}_token_id") for n in ("bos", "eos", "pad")}
    text = {**SHAPE, **ids, "vocab_size": len(tokenizer) + 5, "num_hidden_layers": 5}
    seen = {"hidden_size": 16, "intermediate_size": 16}
    torch.manual_seed(0)
    if name == "qwen3.5":
        del text["sliding_window"]
        text |= {**LINEAR, "head_dim": 32, "layer_types": DELTAS}
        vision = {
            **seen, "depth": 1, "num_heads": 2, "out_hidden_size": 64, "patch_size": 4,
            "num_position_embeddings": 16,
        }  # fmt: skip
        config = Qwen3_5Config(text_config=text, vision_config=vision, tie_word_embeddings=True)
        return Qwen3_5ForConditionalGeneration(config)
    vision = {
        **seen, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28,
        "patch_size": 14, "vision_use_head": False,
    }  # fmt: skip
    return Gemma3ForConditionalGeneration(
        Gemma3Config(text_config={**text, **gemma(16)}, vision_config=vision, mm_tokens_per_image=4)
    )


@pytest.mark.parametrize("name", ["qwen3.5", "gemma3"])
def test_of_a_multimodal_model_the_text_part_is_exported(
    name: str, tokenizer: Any, tmp_path: Path
) -> None:
    whole = multimodal(name, tokenizer).eval()
    roughen(whole)
    whole.save_pretrained(tmp_path / "base")
    loaded = load_model(resolve(ModelSettings(path=str(tmp_path / "base")))).eval()
    for number, model in enumerate((whole, loaded)):
        path = export(model, tokenizer, tmp_path / f"{number}.gguf")
        assert_same(*both_logits(model, path), noise=noise(name))
        assert not [t.name for t in read_gguf_header(path).tensors if t.name.startswith("v.")]


@pytest.mark.parametrize("kind", ["mistral", "phi3"])
def test_where_llama_cpp_has_no_window_the_context_ends_with_it(
    kind: str, tokenizer: Any, tmp_path: Path
) -> None:
    model = make_family(kind, tokenizer, sliding_window=24)
    path = export(model, tokenizer, tmp_path / "m.gguf")
    header = read_gguf_header(path)
    assert header.metadata[f"{header.architecture}.context_length"] == 24
    assert_same(*both_logits(model, path, 24))
    expected, given = both_logits(model, path, 60)
    assert kl_divergence(expected[24:], given[24:]).mean() > 1e-3


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("gpt2", {}, "its architecture is 'gpt2'"),
    ("llama", {"hidden_act": "relu"}, "its activation is 'relu'"),
    ("llama", {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}},
     "its rotary scaling is 'dynamic'"),
    ("qwen3", {"rope_parameters": LLAMA3}, "its rotary scaling is 'llama3'"),
    ("qwen3", {"rope_parameters": {**YARN, "attention_factor": 0.5}}, "sets attention_factor"),
    ("qwen3", {"rope_parameters": {**YARN, "beta_fast": 16}}, "sets beta_fast"),
    ("qwen3", {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4,
                                   "partial_rotary_factor": 0.5}}, "rotates 64 of 128"),
    ("qwen3_5_text", {**LINEAR, "rms_norm_eps": 1e-5}, "norms add 1e-05, not 1e-06"),
    ("qwen2", {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 2},
     "sliding windows"),
    ("qwen3_5_text", {**LINEAR, "linear_value_head_dim": 8}, "differ in size"),
    ("qwen3_5_text", {**LINEAR, "linear_num_value_heads": 3}, "no multiple"),
    ("qwen3_5_text", {**LINEAR, "layer_types": ["linear_attention"] * 5}, "of one kind"),
    ("gemma3_text", gemma(16, query_pre_attn_scalar=20), "scaled by 20"),
    ("gemma3_text", gemma(16, attn_logit_softcapping=5.0), "caps its attention"),
    ("lfm2", {"layer_types": CONVOLVED, "conv_bias": True}, "convolutions have biases"),
    ("lfm2", {"layer_types": ["conv"] * 5}, "of one kind"),
    ("lfm2", {"layer_types": CONVOLVED, "head_dim": 32}, "do not add up to 64"),
    ("granitemoehybrid", {**GRANITE4, "num_local_experts": 4, "layer_types": ["attention"] * 5},
     "it has 4 experts"),
    ("granitemoehybrid",
     {**GRANITE4, **MAMBA, "layer_types": MAMBAS, "mamba_expand": 4, "mamba_d_head": 32},
     "4 times as wide"),
    ("granitemoehybrid", {**GRANITE4, **MAMBA, "layer_types": MAMBAS, "mamba_proj_bias": True},
     "other biases"),
    ("smollm3", {"no_rope_layers": [1, 0, 1, 1, 1]}, "not every fourth"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "own", "reason"), REFUSED)
def test_what_llama_cpp_computes_otherwise_is_refused(
    kind: str, own: dict[str, Any], reason: str
) -> None:
    shape = {"n_embd": 32} if kind == "gpt2" else SHAPE
    ids = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 1)
    config = AutoConfig.for_model(kind, **{**shape, **ids, "vocab_size": 100, **own})
    with pytest.raises(UnsupportedError, match=reason) as raised:
        layout_for(config)
    assert "\n" not in raised.value.message + raised.value.next_step
    assert "use a base of the family" in raised.value.next_step
    assert "LLAMA_CPP_DIR" in raised.value.next_step


def test_a_tensor_without_a_place_is_refused_by_name(tokenizer: Any, tmp_path: Path) -> None:
    model = make_family("qwen3", tokenizer, attention_bias=True)
    with pytest.raises(UnsupportedError, match=r"layers\.0\.self_attn\.o_proj\.bias"):
        export(model, tokenizer, tmp_path / "m.gguf")
    assert list(tmp_path.iterdir()) == []
