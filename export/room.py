"""How much disk an export takes at its worst moment, asked before anything is written."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.export.base_weights import BaseWeights, weight_files
from tooldrill.export.disk import require_room
from tooldrill.export.layouts.base import text_name
from tooldrill.export.samples import CONVERSATIONS, LEARNED_POSITIONS, OTHER_POSITIONS
from tooldrill.export.settings import Quantization
from tooldrill.export.tensor_types import file_size
from tooldrill.training.find_base import BaseModel

_READINGS = 2  # of two models at a time, 4 bytes a logit
Shapes = list[tuple[str, tuple[int, ...]]]


def require_export_room(
    base: BaseModel,
    out: Path,
    asked: Collection[Quantization],
    there: Collection[Quantization] = (),
) -> None:
    """Refuses an export whose files, all of them there at once, its disk cannot hold.

    Args:
        asked: quantizations; F16 is made even if it is not kept.
        there: those that are not made again.

    Raises:
        TooldrillError: with what is missing and what could be left out.
    """
    shapes = _shapes(base)
    if not shapes:
        return  # loading it will tell what is wrong, or how large it is
    made: list[Quantization] = [one for one in ("F16", *asked) if one not in there]
    sizes = {str(one): file_size(shapes, one) for one in made}
    vocabulary = max(shape[0] for _, shape in shapes)
    positions = CONVERSATIONS * (LEARNED_POSITIONS + OTHER_POSITIONS)
    sizes["logits to compare"] = _READINGS * 4 * positions * vocabulary
    smallest = min((file_size(shapes, one), one) for one in asked)[1]
    less = f"export.quantizations=[{smallest}]" if len(set(asked)) > 1 else None
    require_room(out, sizes, less)


def _shapes(base: BaseModel) -> Shapes:
    """Names and shapes of the base's tensors, the length of a row last; empty when unknown."""
    if base.gguf_path is not None:
        tensors = read_gguf_header(base.gguf_path).tensors
        return [(tensor.name, tensor.shape[::-1]) for tensor in tensors]
    try:
        files = weight_files(base.folder)
        weights = BaseWeights(files or [])
    except (OSError, ValueError, RuntimeError):
        return []
    if not weights.plain:
        return []
    return [(name, shape) for name, shape in weights.shapes.items() if text_name(name) is not None]
