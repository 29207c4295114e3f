"""Writing the GGUF file of an adapter, one pair of matrices in memory at a time.

What is written is decided before: the places by `placing`, alpha and the factors by `folding`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import gguf
import numpy as np
import torch

from tooldrill.agent.atomic import atomic_path
from tooldrill.agent.errors import TooldrillError
from tooldrill.export.adapter.folding import factor, global_alpha
from tooldrill.export.adapter.peft_folder import LoraPair
from tooldrill.export.adapter.placing import Place
from tooldrill.export.disk import require_space
from tooldrill.export.settings import AdapterType
from tooldrill.training.find_base import BaseModel

_TYPES: dict[str, Any] = {"F32": np.float32, "F16": np.float16}
_FILE_TYPES = {"F32": gguf.LlamaFileType.ALL_F32, "F16": gguf.LlamaFileType.MOSTLY_F16}
Array = np.ndarray[Any, Any]


class Matrices(Protocol):
    """Where the values of the pairs come from."""

    @property
    def pairs(self) -> list[LoraPair]: ...

    def load(self, pair: LoraPair) -> tuple[torch.Tensor, torch.Tensor]: ...


def write_adapter(
    source: Matrices,
    placed: Sequence[Place],
    path: Path,
    *,
    architecture: str,
    base: BaseModel,
    name: str,
    dtype: AdapterType = "F32",
) -> float:
    """Writes the file, which appears whole or not at all, and returns its alpha.

    Args:
        architecture: of the base; llama.cpp refuses an adapter of another one.
        name: `general.name`.

    Raises:
        TooldrillError: when a value does not fit the type, and when the disk is full.
    """
    stored = np.dtype(_TYPES[dtype])
    shapes = [shape for place in placed for shape in place.shapes()]
    require_space(path, sum(math.prod(shape) for shape in shapes) * stored.itemsize)
    alpha = global_alpha(source.pairs)
    with atomic_path(path) as temporary:
        writer = gguf.GGUFWriter(temporary, architecture)
        try:
            _write_general(writer, base, name)
            writer.add_file_type(_FILE_TYPES[dtype])
            writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
            writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
            names = [f"{place.name}.lora_{side}" for place in placed for side in "ab"]
            for tensor, shape in zip(names, shapes, strict=True):
                writer.add_tensor_info(tensor, shape, stored, math.prod(shape) * stored.itemsize)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_ti_data_to_file()
            for tensor, values in zip(names, _values(source, placed, alpha), strict=True):
                writer.write_tensor_data(_cast(tensor, values, stored))
        finally:
            writer.close()
    return alpha


def _write_general(writer: gguf.GGUFWriter, base: BaseModel, name: str) -> None:
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_name(name)
    writer.add_finetune("tooldrill")
    writer.add_tags(["tool-calling", "tooldrill", "lora"])
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, base.name)
    if base.gguf_file is None and not Path(base.folder).is_dir():
        writer.add_base_model_repo_url(0, f"https://huggingface.co/{base.folder}")


def _values(source: Matrices, placed: Sequence[Place], alpha: float) -> Iterator[torch.Tensor]:
    """A and B of every place in turn, B with its factor."""
    for place in placed:
        a, b = source.load(place.pair)
        # In fp64, so that a factor of 1 changes nothing and any other rounds once.
        b = (b.double() * factor(place.pair, alpha)).float()
        yield from place.placed(a, b)


def _cast(name: str, values: torch.Tensor, dtype: np.dtype[Any]) -> Array:
    with np.errstate(over="ignore"):
        array: Array = np.ascontiguousarray(values.numpy(), dtype=dtype)
    if not np.isfinite(array).all():
        raise TooldrillError(
            f"{name} of the adapter holds a value that {dtype} cannot store"
            f" ({values.abs().max():.3g})",
            "set export.adapter_gguf_type=F32; beyond that the weights have run away",
        )
    return array
