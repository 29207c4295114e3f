"""Opens the model to be measured, a GGUF file or an endpoint, and says what it is."""

from __future__ import annotations

import ctypes
from pathlib import Path

import llama_cpp
from gguf import LlamaFileType

from tooldrill.agent.engines.base import Engine
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.engines.llama import LlamaEngine
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import EndpointSettings, EngineSettings
from tooldrill.eval.results import ModelInfo


def open_engine(
    settings: EngineSettings,
    *,
    gguf: Path | None = None,
    endpoint: str | None = None,
    model: str | None = None,
    name: str | None = None,
    template: str | None = None,
    asking: EndpointSettings | None = None,
    api_key: str | None = None,
) -> tuple[Engine, ModelInfo]:
    """The engine and what is known of its model; exactly one of `gguf` and `endpoint` is given.

    Args:
        model: name sent to the endpoint; its only or first one when None.
        name: as reports show it; the file's or the endpoint's own when None.
        template: chat template for the GGUF; its own when None.
        asking: how the endpoint is asked.
        api_key: for the endpoint, in the place of the variable that `asking` names.

    Raises:
        TooldrillError: when the file cannot be loaded or the endpoint does not answer.
    """
    if (gguf is None) == (endpoint is None):
        raise TooldrillError("no model to evaluate, or two", "give one GGUF file or one endpoint")
    if gguf is not None:
        local = LlamaEngine(gguf, settings, template)
        info = ModelInfo(
            name=name or gguf.stem,
            source=str(gguf),
            sha256=local.info.sha256,
            quantization=quantization_of(gguf),
            size=gguf.stat().st_size,
        )
        return local, info
    assert endpoint is not None
    from tooldrill.agent.engines.endpoint import EndpointEngine

    remote = EndpointEngine(endpoint, model, asking, api_key=api_key)
    return remote, ModelInfo(
        name=name or remote.model.short_name,
        source=remote.info.source,
        quantization=remote.server.get("quantization"),
        size=remote.server.get("size"),
        server=remote.server,
    )


def quantization_of(gguf: Path) -> str | None:
    """What the file's metadata calls its quantization (`Q8_0`), None when it does not say."""
    # gguf.GGUFReader would take seconds here: it turns every token of the vocabulary into an array.
    model = GgufModel(gguf, vocabulary_only=True)
    try:
        value = ctypes.create_string_buffer(32)
        key = b"general.file_type"
        if llama_cpp.llama_model_meta_val_str(model.handle, key, value, len(value)) < 0:
            return None
        name = str(LlamaFileType(int(value.value)).name)
        return name.removeprefix("MOSTLY_").removeprefix("ALL_")
    except ValueError:
        return None  # a type newer than the installed gguf package
    finally:
        model.close()
