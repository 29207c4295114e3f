"""From a PEFT folder to a described GGUF file for `--lora`. Comparing it is `checking`'s work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tooldrill.agent.hashing import sha256_file
from tooldrill.export.adapter.folding import factor
from tooldrill.export.adapter.initial import Subtracted, doubled, initial_matrices
from tooldrill.export.adapter.peft_folder import PeftAdapter, read_adapter
from tooldrill.export.adapter.placing import Place, places, shapes_of
from tooldrill.export.adapter.unsupported import AdapterUnsupportedError
from tooldrill.export.adapter.writing import Matrices, write_adapter
from tooldrill.export.layouts.base import Layout
from tooldrill.export.layouts.registry import layout_for
from tooldrill.export.lazy_tensor import loaded
from tooldrill.export.records import AdapterFile
from tooldrill.export.settings import AdapterType
from tooldrill.export.unsupported import UnsupportedError
from tooldrill.training.base_model import load_model
from tooldrill.training.find_base import BaseModel


def make_adapter(
    adapter: Path,
    base: BaseModel,
    model: Any,
    path: Path,
    *,
    name: str,
    dtype: AdapterType = "F32",
) -> AdapterFile:
    """Writes the adapter as a GGUF; `path` appears whole or not at all.

    Args:
        adapter: a PEFT folder.
        model: the base as transformers has it; of its weights only those are loaded that the
            adapter brings, too.
        name: `general.name`.

    Raises:
        AdapterUnsupportedError: for what llama.cpp's LoRA, or this exporter, cannot express.
        TooldrillError: when the folder is broken or belongs to another base, and for a full disk.
    """
    peft = read_adapter(adapter)
    layout = _layout(model.config)
    shapes = shapes_of(model)
    placed = [place for pair in peft.pairs for place in places(layout, shapes, pair)]
    if not placed:
        raise AdapterUnsupportedError("it adapts nothing of the text model, which GGUF holds")
    if peft.saved_base:
        _require_bases_own(peft, model)
    source: Matrices = peft
    if peft.config.altering_init:
        initial = initial_matrices(load_model(base), adapter)
        source = Subtracted(peft, initial)
        placed = [replace(place, pair=doubled(place.pair, initial)) for place in placed]
    alpha = write_adapter(
        source, placed, path, architecture=layout.name, base=base, name=name, dtype=dtype
    )
    return _described(path, placed, alpha, dtype, peft.config.altering_init)


def _layout(config: Any) -> Layout:
    try:
        return layout_for(config)
    except UnsupportedError as error:
        raise AdapterUnsupportedError(
            f"its base is of no family that tooldrill writes ({config.model_type})",
            "convert it with llama.cpp's convert_lora_to_gguf.py, or use the merged GGUF",
        ) from error


def _require_bases_own(peft: PeftAdapter, model: Any) -> None:
    """PEFT loads weights of the base that were saved with an adapter; the user's base has its own.

    Raises:
        AdapterUnsupportedError: when the two differ.
    """
    weights = model.state_dict()
    for module in peft.saved_base:
        saved, own = peft.load_saved_base(module), weights.get(f"{module}.weight")
        fits = own is not None and own.shape == saved.shape
        if not fits or not torch.equal(loaded(own).to(saved.dtype), saved):
            raise AdapterUnsupportedError(f"it brings weights of its own for {module}")


def _described(
    path: Path, placed: Sequence[Place], alpha: float, dtype: AdapterType, subtracted: str | None
) -> AdapterFile:
    pairs = [place.pair for place in placed]
    return AdapterFile(
        file=path.name,
        bytes=path.stat().st_size,
        sha256=sha256_file(path),
        type=dtype,
        tensors=len(placed),
        ranks=dict(Counter(pair.rank for pair in pairs)),
        scales=dict(Counter(pair.scale for pair in pairs)),
        alpha=alpha,
        folded=sum(factor(pair, alpha) != 1 for pair in pairs),
        subtracted=subtracted,
    )
