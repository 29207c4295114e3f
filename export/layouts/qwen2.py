"""qwen2: Qwen 2 and 2.5."""

from __future__ import annotations

from collections.abc import Iterator

import gguf

from tooldrill.export.layouts.base import Layout, sliding_layers


class Qwen2(Layout):
    """Biases on q, k and v; no windows, though the config knows them."""

    arch = gguf.MODEL_ARCH.QWEN2
    square = True

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        if any(sliding_layers(self.config)):
            yield "its layers have sliding windows, and llama.cpp's graph has none"
