"""What a decoder's `config.json` alone tells: its weights, its widths, whether it shares prefixes.

For models that are not loaded, or not even downloaded.

Matrices only: norms and biases are a thousandth. Layers that are no attention (Qwen3.5's gated
delta nets, LFM2's short convolutions, Granite's Mamba) are counted by their own projections.
Names are those of Transformers' configs; the counts are compared with the models' own in a test.
"""

from __future__ import annotations

from typing import Any

from tooldrill.training.activations import Decoder
from tooldrill.training.engine.layout import MASKED_LAYERS

Config = dict[str, Any]

# Those that were tried, as tiny random models: they share where a mask tells all their layers.
_TRIED = {
    "gemma3_text", "granite", "granitemoehybrid", "llama", "mistral", "phi3", "qwen2", "qwen3",
    "smollm3",
}  # fmt: skip
# Attention with sinks or soft caps, which forests have no kernel for.
_OWN_SCORES = {"gemma2", "gpt_oss", "vaultgemma"}
# What configs call the settings of layers that carry a state from token to token.
_STATES = ("mamba", "ssm_", "rwkv", "conv_kernel", "state_size")


def largest(value: Any, default: int) -> int:
    """A number that some architectures give for each layer, as a list: the largest."""
    if isinstance(value, list):
        return max(map(int, value), default=default)
    return int(value or default)


def text_config(config: Config) -> Config:
    """The part of a multimodal model's config that describes its decoder."""
    found: Config = config.get("text_config", config)
    return found


def head_size(config: Config) -> int:
    """Width of one attention head."""
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def key_width(config: Config) -> int:
    """Numbers that one token adds to a layer's key cache."""
    heads = config.get("num_key_value_heads") or config["num_attention_heads"]
    return int(heads) * head_size(config)


def inner_width(config: Config) -> int:
    """Width between the matrices of a layer's MLP."""
    shared = config.get("shared_intermediate_size")
    if shared:
        return int(shared)
    width = int(config.get("intermediate_size") or config.get("block_ff_dim") or 0)
    if config.get("model_type") == "lfm2" and config.get("block_auto_adjust_ff_dim", True):
        step = int(config.get("block_multiple_of", 256))
        width = -(-int(2 * width / 3 * config.get("block_ffn_dim_multiplier", 1)) // step) * step
    return width


def layer_types(config: Config) -> list[str]:
    """What each layer is; `attention` where the config does not say."""
    kinds = config.get("layer_types") or config.get("layers_block_type")
    if kinds:
        return list(kinds)
    layers = int(config["num_hidden_layers"])
    if "linear_num_value_heads" in config:
        every = int(config.get("full_attention_interval", 4))
        return [
            "full_attention" if (layer + 1) % every == 0 else "linear_attention"
            for layer in range(layers)
        ]
    full = config.get("full_attn_idxs")
    return ["attention" if full is None or layer in full else "conv" for layer in range(layers)]


def embedding_weights(config: Config) -> int:
    """The token embeddings, and the output matrix where it is not the same."""
    tied = config.get("tie_word_embeddings", config.get("tie_embedding", True))
    return int(config["vocab_size"]) * int(config["hidden_size"]) * (1 if tied else 2)


def count_weights(config: Config) -> int:
    """All weights, tied ones once."""
    mlp = 3 * int(config["hidden_size"]) * inner_width(config)
    layers = sum(mlp + _mixer_weights(config, kind) for kind in layer_types(config))
    return embedding_weights(config) + layers


def _mixer_weights(config: Config, kind: str) -> int:
    """What a layer has beside its MLP."""
    hidden = int(config["hidden_size"])
    if kind == "linear_attention" and "linear_num_value_heads" in config:
        keys = int(config["linear_num_key_heads"]) * int(config["linear_key_head_dim"])
        heads = int(config["linear_num_value_heads"])
        values = heads * int(config["linear_value_head_dim"])
        kernel = int(config.get("linear_conv_kernel_dim", 4))
        return hidden * (2 * keys + 3 * values + 2 * heads) + kernel * (2 * keys + values)
    if kind == "conv":
        return hidden * (4 * hidden + int(config.get("conv_L_cache", 3)))
    if kind in ("mamba", "linear_attention"):  # Transformers' newer name for both
        heads = int(config["mamba_n_heads"])
        inner = int(config.get("mamba_expand", 2)) * hidden
        states = 2 * int(config.get("mamba_n_groups", 1)) * int(config.get("mamba_d_state", 256))
        return hidden * (3 * inner + states + heads) + 4 * (inner + states)
    queries = int(config["num_attention_heads"]) * head_size(config)
    gated = 2 if "linear_num_value_heads" in config else 1  # Qwen3.5 gates its attention
    return hidden * ((1 + gated) * queries + 2 * key_width(config))


def decoder_of_config(config: Config) -> Decoder:
    """The widths of a decoder; where a config does not tell one, what is usual."""
    hidden = int(config["hidden_size"])
    heads = largest(config.get("num_attention_heads"), 1)
    keys = largest(config.get("num_key_value_heads"), heads)
    inner = largest(config.get("intermediate_size"), 0)
    sized = {
        **config, "num_attention_heads": heads, "num_key_value_heads": keys,
        "intermediate_size": inner,
    }  # fmt: skip
    experts = config.get("num_local_experts") or config.get("num_experts") or 0
    active = int(config.get("num_experts_per_tok") or 1) if experts else 1
    return Decoder(
        layers=int(config["num_hidden_layers"]),
        hidden=hidden,
        queries=heads * head_size(sized),
        keys=key_width(sized),
        inner=active * (inner_width(sized) or 4 * hidden),
        vocabulary=int(config.get("vocab_size") or 0),
        carrying=carrying_layers(config),
    )


def decoder_of_model(config: Any) -> Decoder:
    """That of a loaded model, whose config answers to the usual names, whatever its own are."""
    names = (
        "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
        "intermediate_size", "vocab_size",
    )  # fmt: skip
    told = {name: getattr(config, name, None) for name in names}
    known = {name: value for name, value in told.items() if value is not None}
    return decoder_of_config({**config.to_dict(), **known})


def carrying_layers(config: Config) -> int:
    """How many layers carry a state from token to token: recurrent ones, and convolutions."""
    named = config.get("layer_types") or config.get("layers_block_type")
    if not named and any(key.startswith(_STATES) and config[key] for key in config):
        return int(config["num_hidden_layers"])
    return sum(
        kind == "linear_attention" or "attention" not in kind for kind in layer_types(config)
    )


def shares_prefixes(config: Config) -> bool | None:
    """Whether shared prefixes will likely be computed once; None where the config does not tell.

    `engine.choose_layout` tries it on the model itself once that is loaded.
    """
    if carrying_layers(config) or set(layer_types(config)) - MASKED_LAYERS or scored_heads(config):
        return False
    return True if config.get("model_type") in _TRIED else None


def scored_heads(config: Config) -> int:
    """Heads whose scores a processor keeps, since only eager attention computes them; mostly 0."""
    kind = config.get("model_type")
    capped = config.get("attn_logit_softcapping", 50.0 if kind == "gemma2" else None)
    if capped or (kind in _OWN_SCORES and kind != "gemma2"):
        return largest(config.get("num_attention_heads"), 1)
    return 0
