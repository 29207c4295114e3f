"""What GGUF, or this exporter, cannot express, said in one line with both ways out.

Its own class, so that `convert` can try llama.cpp's script instead of giving up.
"""

from __future__ import annotations

from tooldrill.agent.errors import TooldrillError


class UnsupportedError(TooldrillError):
    """A model or tokenizer that this exporter cannot write.

    Args:
        reason: what it is about the model, without the subject: `its activation is 'relu'`.
        instead: what to use in its place, the first way out; the second is llama.cpp's script.
    """

    def __init__(self, reason: str, instead: str) -> None:
        super().__init__(
            f"this model cannot be exported to GGUF: {reason}",
            f"{instead}; or set LLAMA_CPP_DIR (or export.llama_cpp_dir) to a checkout of llama.cpp"
            " to have its own script convert it",
        )
