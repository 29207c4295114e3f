"""What llama.cpp's LoRA cannot express, said in one line. Nothing is decided here."""

from __future__ import annotations

from tooldrill.agent.errors import TooldrillError

MERGED = "use the merged GGUF, in which this is right"


class AdapterUnsupportedError(TooldrillError):
    """An adapter that cannot be written for `--lora`.

    Args:
        reason: what it is about the adapter, without the subject: `it is a DoRA`.
        instead: what to use in its place.
    """

    def __init__(self, reason: str, instead: str = MERGED) -> None:
        super().__init__(f"llama.cpp's --lora cannot express this adapter: {reason}", instead)
        self.reason = reason
