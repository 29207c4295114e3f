"""The weights of a base, read from its safetensors files one tensor at a time.

A base whose files do not hold the model's tensors one by one, under its own names (quantized
checkpoints, old names, large GGUF files), is loaded as a whole elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers.utils import SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME, cached_file

from tooldrill.training.base_model import load_model
from tooldrill.training.find_base import BaseModel
from tooldrill.training.gguf_base import unpacked_folder

_FLOATS = frozenset({"F32", "F16", "BF16"})


class BaseWeights(Mapping[str, torch.Tensor]):
    """Weights in float32, by the names of the files.

    Attributes:
        shapes: of all of them; no values are read for it.
    """

    def __init__(self, files: list[Path]) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.plain = True
        self._files: dict[str, Path] = {}
        for path in files:
            with safe_open(str(path), framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 - not a mapping
                    part = file.get_slice(name)
                    self.shapes[name] = tuple(part.get_shape())
                    self.plain &= part.get_dtype() in _FLOATS
                    self._files[name] = path

    def __getitem__(self, name: str) -> torch.Tensor:
        # Opened anew each time: what is mapped counts as memory until the file is closed.
        with safe_open(str(self._files[name]), framework="pt") as file:
            weights: torch.Tensor = file.get_tensor(name)
        return weights.to(torch.float32)

    def __contains__(self, name: object) -> bool:
        return name in self._files  # a mapping's own way would read the values

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def fit(self, state: Mapping[str, torch.Tensor], config: Any) -> bool:
        """Whether they are the tensors of a model with this state, each as it is."""
        tied = {"lm_head.weight"} if config.tie_word_embeddings else set()
        wanted = {name: tuple(weights.shape) for name, weights in state.items()}
        missing = wanted.items() - self.shapes.items()
        return self.plain and not [name for name, _ in missing if name not in tied]


def base_folder(base: BaseModel) -> Path | str | None:
    """The folder, or hub name, that has the base as safetensors; None when there is none.

    A small GGUF is unpacked to one, as it is for training.
    """
    if base.gguf_path is None:
        return base.folder
    folder = unpacked_folder(base.gguf_path)
    if not folder.is_dir():
        load_model(base)
    return folder if folder.is_dir() else None


def weight_files(folder: Path | str) -> list[Path] | None:
    """The safetensors files of a folder or of a downloaded model; None when they cannot be told.

    Raises:
        OSError, ValueError: when there are none.
    """
    index = _file(folder, SAFE_WEIGHTS_INDEX_NAME)
    whole = _file(folder, SAFE_WEIGHTS_NAME)
    if whole is not None:
        return [whole]
    if index is None:
        return None
    names = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
    if any(Path(name).name != name for name in names):
        return None
    files = [_file(folder, name) for name in names]
    return [file for file in files if file is not None] if None not in files else None


def _file(folder: Path | str, name: str) -> Path | None:
    found = cached_file(str(folder), name, _raise_exceptions_for_missing_entries=False)
    return Path(found) if found else None
