"""The weights that an adapter learned over where the base was in four bits (QLoRA).

Training says so in a file beside the adapter (`training.quantized_base`). The base's own weights,
rounded to four bits and back, are the same numbers.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tooldrill.agent.errors import TooldrillError
from tooldrill.training.quantized_base import QUANTIZATION

INSTALL = "pip install 'tooldrill[qlora]'"


@dataclass(frozen=True)
class QuantizedTraining:
    """How the base was stored while the adapter was trained.

    Attributes:
        kind: `nf4`, `fp4`, or `int8`.
        double: whether the constants were quantized, too.
        dtype: of the weights before they were quantized, and of what comes out.
        kept: names, or last parts of names, of layers that were left as they are.
    """

    kind: str
    double: bool = False
    dtype: torch.dtype = torch.float32
    kept: tuple[str, ...] = ()

    def keeps(self, layer: str) -> bool:
        """Whether a linear layer was left as it is."""
        return any(layer == kept or layer.endswith(f".{kept}") for kept in self.kept)

    @property
    def unmeasured(self) -> str | None:
        """Why these weights cannot be made here, or None."""
        if self.kind == "int8":
            return "the adapter was trained over 8-bit weights, which are not made again here"
        if importlib.util.find_spec("bitsandbytes") is None:
            return f"bitsandbytes is not installed: {INSTALL}, and export again"
        return None


def read_quantization(adapter: Path) -> QuantizedTraining | None:
    """What training wrote beside the adapter; None where the base was not quantized.

    Raises:
        TooldrillError: when the file is broken.
    """
    path = adapter / QUANTIZATION
    if not path.is_file():
        return None
    try:
        raw = json.loads(path.read_text("utf-8"))
        if raw.get("load_in_8bit"):
            return QuantizedTraining("int8")
        dtype = getattr(torch, str(raw["bnb_4bit_compute_dtype"]))
        return QuantizedTraining(
            kind=str(raw["bnb_4bit_quant_type"]),
            double=bool(raw["bnb_4bit_use_double_quant"]),
            dtype=dtype,
            kept=tuple(raw.get("llm_int8_skip_modules") or ()),
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise TooldrillError(
            f"{path} does not say how the base was quantized: {error!r}"[:200],
            "train again, or remove the file to merge as if the base had been whole",
        ) from error


@torch.no_grad()
def dequantize(model: Any, quantized: QuantizedTraining) -> None:
    """Rounds the weights, in place, to what training computed with.

    The output layer and all that is no linear layer keep their numbers but for the type in which
    training loaded them.
    """
    bits: Any = importlib.import_module("bitsandbytes.functional")
    head = model.get_output_embeddings()
    packed = {
        id(layer.weight)
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear) and layer is not head and not quantized.keeps(name)
    }
    for weights in model.parameters():
        rounded = weights.data.to(quantized.dtype)
        if id(weights) in packed:
            four_bits = bits.quantize_4bit(
                rounded.contiguous(),
                compress_statistics=quantized.double,
                quant_type=quantized.kind,
            )
            rounded = bits.dequantize_4bit(*four_bits)
        weights.data.copy_(rounded)
