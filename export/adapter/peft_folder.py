"""The tensors of a PEFT adapter: which module each pair belongs to, read one pair at a time.

Only safetensors are read, never a pickle. What they become in GGUF is `placing`'s work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.adapter.peft_config import PeftConfig, read_config
from tooldrill.export.adapter.unsupported import AdapterUnsupportedError

WEIGHTS = "adapter_model.safetensors"
_PREFIX = "base_model.model."
_SIDES = {
    ".lora_A.weight": "a", ".lora_B.weight": "b",
    ".lora_embedding_A": "embedded a", ".lora_embedding_B": "embedded b",
}  # fmt: skip
# PEFT saves the rows of adapted embeddings with the adapter.
_SAVED_BASE = ".base_layer.weight"
_TENSOR_REASONS = {
    ".lora_magnitude_vector": "it is a DoRA, whose magnitudes rescale the base's own weights",
    ".trainable_tokens_": "it has trained embeddings of single tokens",
    ".lora_B.bias": "its LoRA layers have biases",
    ".bias": "it has trained biases",
}


@dataclass(frozen=True)
class LoraPair:
    """A module's two matrices, of which nothing is in memory.

    Attributes:
        module: its path in the model, `model.layers.0.self_attn.q_proj`.
        shape: outputs and inputs of the matrix it adds to: B is (outputs, rank), A (rank, inputs).
            Of embeddings, A has a column for every token.
        rank: of these two.
        scale: what PEFT multiplies B A with.
        embedding: whether the module is looked up, not multiplied with.
    """

    module: str
    shape: tuple[int, int]
    rank: int
    scale: float
    embedding: bool = False


@dataclass
class PeftAdapter:
    """A PEFT folder.

    Attributes:
        saved_base: names of modules whose base weights are saved too.
    """

    folder: Path
    config: PeftConfig
    pairs: list[LoraPair]
    saved_base: list[str] = field(default_factory=list)

    def load(self, pair: LoraPair) -> tuple[torch.Tensor, torch.Tensor]:
        """A (rank, inputs) and B (outputs, rank), in fp32.

        Raises:
            TooldrillError: when one holds no numbers.
        """
        sides = list(_SIDES)[2:] if pair.embedding else list(_SIDES)[:2]
        with _opened(self.folder) as file:
            a, b = (_number(file, _PREFIX + pair.module + side, self.folder) for side in sides)
        return a, b

    def load_saved_base(self, module: str) -> torch.Tensor:
        """The base's weights that were saved with the adapter, as they were saved."""
        with _opened(self.folder) as file:
            weights: torch.Tensor = file.get_tensor(_PREFIX + module + _SAVED_BASE)
        return weights


def read_adapter(folder: Path) -> PeftAdapter:
    """What a PEFT folder holds; no tensor is read yet.

    Raises:
        TooldrillError: when it is missing, broken, or its parts do not belong together.
        AdapterUnsupportedError: when it is more than a plain LoRA.
    """
    config = read_config(folder)
    with _opened(folder) as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    saved_base = []
    for name, shape in sorted(shapes.items()):
        bare = name.removeprefix(_PREFIX)
        side = next((ending for ending in _SIDES if bare.endswith(ending)), None)
        if side:
            found.setdefault(bare.removesuffix(side), {})[_SIDES[side]] = shape
        elif bare.endswith(_SAVED_BASE):
            saved_base.append(bare.removesuffix(_SAVED_BASE))
        else:
            raise _more_than_lora(bare)
    pairs = [_pair(config, module, sides, folder) for module, sides in found.items()]
    if not pairs:
        raise _broken(folder, "it holds no LoRA matrices")
    return PeftAdapter(folder, config, pairs, saved_base)


def _pair(
    config: PeftConfig, module: str, sides: dict[str, tuple[int, ...]], folder: Path
) -> LoraPair:
    embedding = "embedded a" in sides or "embedded b" in sides
    names = ("embedded a", "embedded b") if embedding else ("a", "b")
    a, b = (sides.get(name) for name in names)
    if a is None or b is None or len(sides) != 2:
        raise _broken(folder, f"{module} has no pair of matrices")
    if len(a) > 2 or len(b) > 2:
        raise AdapterUnsupportedError(
            f"it adapts {module}, which is a convolution",
            "adapt linear layers only: training.lora.targets=all-linear",
        )
    rank = config.rank_of(module)
    if len(a) != 2 or len(b) != 2 or not a[0] == b[1] == rank or 0 in (*a, *b):
        raise _broken(folder, f"{module} has matrices of {a} and {b}, its rank is {rank}")
    return LoraPair(module, (b[0], a[1]), rank, config.scale_of(module), embedding)


def _more_than_lora(name: str) -> AdapterUnsupportedError:
    reason = next((said for part, said in _TENSOR_REASONS.items() if part in name), None)
    return AdapterUnsupportedError(reason or f"it holds {name}, which is no LoRA matrix")


@contextmanager
def _opened(folder: Path) -> Iterator[Any]:
    path = folder / WEIGHTS
    if not path.is_file():
        raise TooldrillError(
            f"no adapter in {folder}: {WEIGHTS} is missing",
            "train one (tooldrill train sft CONFIG), or save it as safetensors",
        )
    try:
        with safe_open(str(path), framework="pt") as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise _broken(folder, str(error).splitlines()[0]) from error


def _number(file: Any, name: str, folder: Path) -> torch.Tensor:
    weights: torch.Tensor = file.get_tensor(name)
    if not weights.is_floating_point():
        raise _broken(folder, f"{name} is stored as {weights.dtype}")
    weights = weights.to(torch.float32)
    if not weights.isfinite().all():
        raise TooldrillError(
            f"{name} of the adapter in {folder} holds a value that is no number",
            "train again with a lower learning rate: the weights have run away",
        )
    return weights


def _broken(folder: Path, reason: str) -> TooldrillError:
    return TooldrillError(
        f"{folder / WEIGHTS} is broken: {reason}",
        "train it again: tooldrill train sft CONFIG --force",
    )
