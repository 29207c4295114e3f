"""The file of whole weights: written by this exporter, or else by llama.cpp's own script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tooldrill.agent.progress import Progress, silent
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.llama_cpp_script import convert_with_script, script_folder
from tooldrill.export.records import Converter
from tooldrill.export.settings import Unquantized
from tooldrill.export.unsupported import UnsupportedError
from tooldrill.training.find_base import BaseModel


def convert(
    model: Any,
    tokenizer: Any,
    template: str,
    path: Path,
    *,
    base: BaseModel,
    name: str,
    llama_cpp_dir: str | None,
    kind: Unquantized = "F16",
    progress: Progress = silent,
) -> Converter:
    """Writes an F16 or BF16 GGUF and says who did; arguments as of `write_gguf`.

    Args:
        llama_cpp_dir: a checkout of llama.cpp, for models that `layouts` cannot express; None:
            `$LLAMA_CPP_DIR`, if it is set.

    Raises:
        UnsupportedError: when it cannot be written and there is no checkout.
        TooldrillError: as `write_gguf` and `convert_with_script`.
    """
    try:
        write_gguf(
            model, tokenizer, template, path, base=base, name=name, kind=kind, progress=progress
        )
    except UnsupportedError:
        folder = script_folder(llama_cpp_dir)
        if folder is None:
            raise
        convert_with_script(
            folder, model, tokenizer, template, path, name=name, kind=kind, progress=progress
        )
        return "llama.cpp"
    return "tooldrill"
