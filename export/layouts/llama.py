"""llama: SmolLM2, Llama 3.2 and their kin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import gguf

from tooldrill.export.layouts.base import Layout
from tooldrill.export.layouts.rope import SCALINGS, llama3_factors, rope_type
from tooldrill.export.layouts.stored import StoredTensor


class Llama(Layout):
    """Rows of q and k in rotary pairs; Llama 3's frequencies as a tensor of factors."""

    arch = gguf.MODEL_ARCH.LLAMA
    scalings: ClassVar[frozenset[str]] = SCALINGS | {"llama3"}
    biased: ClassVar[frozenset[str]] = Layout.biased | {
        "attn_output", "ffn_gate", "ffn_up", "ffn_down",
    }  # fmt: skip
    rotary_pairs = True

    def tensors(self, model: Any) -> Iterator[StoredTensor]:
        if rope_type(self.rope) == "llama3":
            yield StoredTensor("rope_freqs.weight", llama3_factors(self.rope, self.rotated))
        yield from super().tensors(model)
