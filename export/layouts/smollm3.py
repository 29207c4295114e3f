"""smollm3: llama with every fourth layer not rotated."""

from __future__ import annotations

from collections.abc import Iterator

import gguf

from tooldrill.export.layouts.base import Layout, sliding_layers

_UNROTATED_EVERY = 4


class SmolLM3(Layout):
    """llama.cpp leaves layers 3, 7, 11... unrotated, whatever a config says."""

    arch = gguf.MODEL_ARCH.SMOLLM3
    rotary_pairs = True

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        layers = self.config.num_hidden_layers
        fixed = [int((layer + 1) % _UNROTATED_EVERY != 0) for layer in range(layers)]
        if list(self.config.no_rope_layers) != fixed:
            yield "its unrotated layers are not every fourth one"
        if any(sliding_layers(self.config)):
            yield "its layers have sliding windows, and llama.cpp's graph has none"
