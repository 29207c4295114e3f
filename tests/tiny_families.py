"""Tiny random models of every family that the exporter knows, none of their weights trivial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tiny_llama import make_tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

SHAPE: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 5,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
    "initializer_range": 0.15,  # wide, so that attention is far from uniform
    "sliding_window": None,
}
LINEAR = {
    "linear_num_key_heads": 2, "linear_num_value_heads": 6, "linear_conv_kernel_dim": 4,
    "linear_key_head_dim": 16, "linear_value_head_dim": 16,
}  # fmt: skip
SCALES = {
    "embedding_multiplier": 3.0, "attention_multiplier": 0.11,
    "residual_multiplier": 0.4, "logits_scaling": 1.7,
}  # fmt: skip
GRANITE4 = {**SCALES, "num_local_experts": 0, "shared_intermediate_size": 96}
MAMBA = {"mamba_n_heads": 8, "mamba_d_state": 32, "mamba_d_conv": 4, "mamba_chunk_size": 16}


def make_family(
    kind: str, tokenizer: PreTrainedTokenizerFast, spare_rows: int = 5, **own: Any
) -> Any:
    """A model of the family with SHAPE and `own` in its config, `spare_rows` beyond the tokens."""
    torch.manual_seed(0)
    ids = {f"{n}_token_id": getattr(tokenizer, f"{n}_token_id") for n in ("bos", "eos", "pad")}
    values = {"vocab_size": len(tokenizer) + spare_rows, **SHAPE, **ids, **own}
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **values)).eval()
    roughen(model)
    return model


@torch.no_grad()
def roughen(model: Any) -> None:
    """Makes vectors (norms, biases, decays) and kernels random, so that none can be forgotten."""
    for name, weights in model.named_parameters():
        if name.endswith("A_log"):
            weights.normal_(-2, 0.5)  # slow decay: what was read long ago still counts
        elif weights.dim() == 1:
            weights.add_(torch.randn_like(weights) * 0.2)
        elif weights.dim() == 3:
            weights.normal_(0, 1)


def save_family(folder: Path, kind: str, **own: Any) -> Path:
    """Saves such a model and a tokenizer, and returns the folder."""
    tokenizer = make_tokenizer()
    make_family(kind, tokenizer, **own).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
