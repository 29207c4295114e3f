"""LoRA adapters: GGUF files that are applied to a loaded model, without merging.

Making such files is the work of `export.adapter`, or of llama.cpp's own script.
"""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp

from tooldrill.agent.engines import native_log
from tooldrill.agent.engines.base import AdapterInfo
from tooldrill.agent.engines.gguf_check import check_adapter, read_parts
from tooldrill.agent.engines.gguf_header import GgufHeader
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.known_hashes import known_sha256


@dataclass(frozen=True)
class Adapter:
    """A loaded adapter. It lives as long as the model that it was loaded for."""

    handle: Any
    info: AdapterInfo


def parse_adapter(text: str) -> tuple[Path, float]:
    """Path and scale of `PATH` or `PATH:SCALE`; the scale is 1 when it is not said.

    Raises:
        TooldrillError: when the scale is no finite number.
    """
    path, colon, last = text.rpartition(":")
    try:
        scale = float(last) if colon else 1.0
    except ValueError:
        return Path(text).expanduser(), 1.0  # the colon belongs to the path
    if not math.isfinite(scale):
        raise TooldrillError(f"the scale of the adapter {text} is no number", "give PATH:0.5")
    return Path(path if colon else text).expanduser(), scale


def load_adapters(model: GgufModel, wanted: Sequence[str]) -> list[Adapter]:
    """Loads adapters, each given as `PATH` or `PATH:SCALE`, for a model.

    Raises:
        TooldrillError: when a file is no LoRA adapter, or one of another model.
    """
    return [_load(model, *parse_adapter(text)) for text in wanted]


def _load(model: GgufModel, path: Path, scale: float) -> Adapter:
    _require_apart(model.path, check_adapter(path), path)
    with native_log.errors() as said:
        handle = llama_cpp.llama_adapter_lora_init(model.handle, os.fsencode(path))
    if not handle:
        why = native_log.reason(said, "llama.cpp does not say why")
        raise TooldrillError(
            f"{path} is no LoRA adapter for {model.path.name}: {why}",
            "give one that was made for this base: `tooldrill export` writes NAME-lora.gguf",
        )
    if llama_cpp.llama_adapter_get_alora_n_invocation_tokens(handle):
        raise TooldrillError(
            f"{path} is an activated LoRA, which works on a part of the conversation only",
            "give a plain LoRA adapter; llama-server can run this one",
        )
    return Adapter(handle, AdapterInfo(path=str(path), scale=scale, sha256=known_sha256(path)))


def _require_apart(model: Path, adapter: GgufHeader, path: Path) -> None:
    """Refuses an adapter of embeddings that are the output, too: llama.cpp ends the process."""
    if not any(tensor.name.startswith("token_embd.weight.") for tensor in adapter.tensors):
        return
    tensors = (tensor for part in read_parts(model)[1] for tensor in part.tensors)
    if not any(tensor.name == "output.weight" for tensor in tensors):
        raise TooldrillError(
            f"{path} adapts the embeddings, which are the output of {model.name}, too",
            "merge the adapter into the model, or train one without embed_tokens",
        )


def apply_adapters(context: llama_cpp.llama_context_p, adapters: Sequence[Adapter]) -> None:
    """Makes a context compute with the adapters, each weighted by its scale.

    Raises:
        TooldrillError: when llama.cpp refuses them.
    """
    if not adapters:
        return
    count = len(adapters)
    handles = (llama_cpp.llama_adapter_lora_p_ctypes * count)(*(one.handle for one in adapters))
    scales = (ctypes.c_float * count)(*(one.info.scale for one in adapters))
    if llama_cpp.llama_set_adapters_lora(context, handles, count, scales) != 0:
        raise TooldrillError(
            "llama.cpp does not take the adapters together", "give one adapter, or merge them"
        )
