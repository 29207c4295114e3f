"""gemma3: the text part. Norms around every block, windows in most layers, two rotary bases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import gguf

from tooldrill.export.layouts.base import Layout, sliding_layers
from tooldrill.export.layouts.rope import rope_of, rope_type
from tooldrill.export.layouts.stored import Change, one_more

_LAYERS_OF_27B = 62


class Gemma3(Layout):
    """Norm weights are stored as what they multiply with, which is one more.

    llama.cpp itself scales the embeddings, and the queries by the head size.
    """

    arch = gguf.MODEL_ARCH.GEMMA3
    activation = "gelu_pytorch_tanh"
    scalings: ClassVar[frozenset[str]] = frozenset({"default", "linear"})
    biased: ClassVar[frozenset[str]] = frozenset()

    @property
    def config_activation(self) -> str:
        return str(self.config.hidden_activation)

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        config = self.config
        width, heads = config.hidden_size, config.num_attention_heads
        # llama.cpp tells the 27B by its layers, and scales it otherwise.
        scale = width // heads if config.num_hidden_layers == _LAYERS_OF_27B else self.head_size
        if config.query_pre_attn_scalar != scale:
            yield (
                f"its queries are scaled by {config.query_pre_attn_scalar}, where llama.cpp"
                f" scales by {scale}"
            )
        if rope_type(self._local_rope) != "default":
            yield f"the rotary scaling of its windows is {rope_type(self._local_rope)!r}"
        if getattr(config, "attn_logit_softcapping", None):
            yield "it caps its attention logits"
        if getattr(config, "use_bidirectional_attention", False):
            yield "its attention looks ahead"

    def write_hyperparameters(self, writer: gguf.GGUFWriter) -> None:
        super().write_hyperparameters(writer)
        sliding = sliding_layers(self.config)
        if any(sliding):
            writer.add_sliding_window(self.config.sliding_window)
            writer.add_sliding_window_pattern(sliding)
            writer.add_rope_freq_base_swa(self._local_rope["rope_theta"])
        if getattr(self.config, "final_logit_softcapping", None):
            writer.add_final_logit_softcapping(self.config.final_logit_softcapping)

    def change(self, gguf_name: str) -> Change:
        return one_more if gguf_name.endswith("_norm.weight") else super().change(gguf_name)

    @property
    def _local_rope(self) -> dict[str, Any]:
        return rope_of(self.config, "sliding_attention")
