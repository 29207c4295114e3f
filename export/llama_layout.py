"""The llama architecture as GGUF stores it: hyperparameters, tensor names, rotary order.

Knows how a transformers `LlamaForCausalLM` and llama.cpp's `llama` differ, and refuses what this
layout cannot express. Other architectures will get modules of their own beside this one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import gguf
import numpy as np
import torch

from tooldrill.agent.errors import TooldrillError

ARCHITECTURE = gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.LLAMA]
_SUPPORTED_ROPE = ("default", "linear", "llama3")

Array = np.ndarray[Any, Any]


def check_architecture(config: Any) -> None:
    """Refuses models that this layout cannot express.

    Raises:
        TooldrillError: for another architecture, activation or rotary scaling.
    """
    rope = config.to_dict().get("rope_parameters") or {}
    scaling = rope.get("rope_type", "default")
    problem = None
    if config.model_type != "llama":
        problem = f"its architecture is {config.model_type!r}"
    elif config.hidden_act != "silu":
        problem = f"its activation is {config.hidden_act!r}, not 'silu'"
    elif scaling not in _SUPPORTED_ROPE:
        problem = f"its rotary scaling is {scaling!r}"
    if problem:
        raise TooldrillError(
            f"this model cannot be exported to GGUF: {problem}",
            "use a base of the llama family (SmolLM2, Llama 3, ...): only it is supported now",
        )


def write_hyperparameters(writer: gguf.GGUFWriter, config: Any) -> None:
    """Everything llama.cpp needs to build the graph."""
    head_size = _head_size(config)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    if head_size * config.num_attention_heads != config.hidden_size:
        writer.add_key_length(head_size)
        writer.add_value_length(head_size)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    rope = config.rope_parameters
    writer.add_rope_freq_base(rope["rope_theta"])
    writer.add_rope_dimension_count(head_size)
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])


def tensors(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """GGUF name and fp32 weights of every tensor, one at a time, in the model's order.

    A tied output is left out: llama.cpp then uses the embeddings.

    Raises:
        TooldrillError: for a tensor that the llama layout does not have.
    """
    config = model.config
    if config.rope_parameters["rope_type"] == "llama3":
        yield "rope_freqs.weight", _llama3_factors(config)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for hf_name, weights in model.state_dict().items():
        if hf_name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        name = names.get_name(hf_name, try_suffixes=(".weight", ".bias"))
        if name is None:
            raise TooldrillError(
                f"the llama layout of GGUF has no tensor for {hf_name}",
                "export a plain llama model; merge other adapters first",
            )
        if ".attn_q." in name:
            weights = to_rotary_pairs(weights, config.num_attention_heads)  # noqa: PLW2901
        elif ".attn_k." in name:
            weights = to_rotary_pairs(weights, config.num_key_value_heads)  # noqa: PLW2901
        yield name, weights.to(torch.float32)


def to_rotary_pairs(weights: torch.Tensor, heads: int) -> torch.Tensor:
    """Reorders the output rows of q or k (weights or bias) for llama.cpp's rotary embedding.

    transformers rotates row i of a head together with row i + size/2; llama.cpp's llama rotates
    neighbours. So the two halves of every head are interleaved.
    """
    rest = weights.shape[1:]
    halves = weights.reshape(heads, 2, weights.shape[0] // heads // 2, *rest)
    return halves.transpose(1, 2).reshape(weights.shape)


def stored_type(shape: Sequence[int]) -> np.dtype[Any]:
    """F16 for matrices; vectors (norms, biases) are small and stay in F32, as llama.cpp expects."""
    return np.dtype(np.float16 if len(shape) >= 2 else np.float32)


def stored_array(name: str, weights: torch.Tensor) -> Array:
    """Weights as the F16 file stores them (see `stored_type`).

    Raises:
        TooldrillError: when a weight does not fit F16 or is not a number.
    """
    array: Array = weights.detach().numpy()
    with np.errstate(over="ignore"):
        stored: Array = np.ascontiguousarray(array, dtype=stored_type(array.shape))
    if not np.isfinite(stored).all():
        raise TooldrillError(
            f"{name} holds a weight that {stored.dtype} cannot store ({np.abs(array).max():.3g})",
            "train again with a lower learning rate: the weights have run away",
        )
    return stored


def _head_size(config: Any) -> int:
    size = getattr(config, "head_dim", None)
    return int(size or config.hidden_size // config.num_attention_heads)


def _llama3_factors(config: Any) -> torch.Tensor:
    """Divisors of the rotary frequencies, one per pair of a head (long contexts of Llama 3.1).

    Short wavelengths keep their frequency, long ones are divided by `factor`, those between are
    interpolated; see "The Llama 3 Herd of Models" and transformers' `rope_type: llama3`.
    """
    rope, size = config.rope_parameters, _head_size(config)
    trained = rope["original_max_position_embeddings"]
    low, high, factor = rope["low_freq_factor"], rope["high_freq_factor"], rope["factor"]
    frequencies = rope["rope_theta"] ** -(torch.arange(0, size, 2, dtype=torch.float64) / size)
    wavelengths = 2 * math.pi / frequencies
    smooth = ((trained / wavelengths - low) / (high - low)).clamp(0, 1)
    factors: torch.Tensor = 1 / ((1 - smooth) / factor + smooth)
    return factors.to(torch.float32)
