"""qwen3: normed queries and keys, heads of any size."""

from __future__ import annotations

from typing import ClassVar

import gguf

from tooldrill.export.layouts.qwen2 import Qwen2


class Qwen3(Qwen2):
    """As Qwen 2, with q and k normed before they are rotated."""

    arch = gguf.MODEL_ARCH.QWEN3
    square: ClassVar[bool] = False
