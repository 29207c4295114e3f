"""Which layout a model has, by its config's `model_type`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tooldrill.export.layouts.base import INSTEAD, Layout
from tooldrill.export.layouts.gemma3 import Gemma3
from tooldrill.export.layouts.granite import Granite, Granite4
from tooldrill.export.layouts.granite_hybrid import GraniteHybrid
from tooldrill.export.layouts.lfm2 import Lfm2
from tooldrill.export.layouts.llama import Llama
from tooldrill.export.layouts.mistral import Mistral
from tooldrill.export.layouts.phi3 import Phi3
from tooldrill.export.layouts.qwen2 import Qwen2
from tooldrill.export.layouts.qwen3 import Qwen3
from tooldrill.export.layouts.qwen35 import Qwen35
from tooldrill.export.layouts.smollm3 import SmolLM3
from tooldrill.export.unsupported import UnsupportedError


def _granite4(config: Any) -> Layout:
    """Granite 4 without Mamba layers is a plain granite to llama.cpp."""
    attention = {"attention", "full_attention"}  # names before and since transformers 5
    return Granite4(config) if attention >= set(config.layer_types) else GraniteHybrid(config)


_LAYOUTS: dict[str, Callable[[Any], Layout]] = {
    "llama": Llama,
    "mistral": Mistral,
    "qwen2": Qwen2,
    "qwen3": Qwen3,
    "qwen3_5": Qwen35,
    "qwen3_5_text": Qwen35,
    "gemma3": Gemma3,
    "gemma3_text": Gemma3,
    "lfm2": Lfm2,
    "granite": Granite,
    "granitemoehybrid": _granite4,
    "smollm3": SmolLM3,
    "phi3": Phi3,
}
MODEL_TYPES = tuple(_LAYOUTS)


def layout_for(config: Any) -> Layout:
    """The layout of a model with this config.

    Raises:
        UnsupportedError: when there is none, or it cannot express the model.
    """
    make = _LAYOUTS.get(config.model_type)
    if make is None:
        raise UnsupportedError(f"its architecture is {config.model_type!r}", INSTEAD)
    layout = make(config)
    layout.check()
    return layout
