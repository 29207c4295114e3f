"""mistral: stored as llama, which is what llama.cpp runs it as."""

from __future__ import annotations

from tooldrill.export.layouts.llama import Llama


class Mistral(Llama):
    """llama, but for a window that llama.cpp's graph does not have.

    As far as the window reaches, the two are the same: the file's context ends there.
    """

    @property
    def context(self) -> int:
        return min(super().context, self.config.sliding_window or super().context)
