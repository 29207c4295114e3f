"""The adapter's part of an export: made, described, compared; or the reason why it is not."""

from __future__ import annotations

import gc
from pathlib import Path

from tooldrill.export.adapter.checking import check_adapter, check_loads, why_unchecked
from tooldrill.export.adapter.making import make_adapter
from tooldrill.export.adapter.unsupported import AdapterUnsupportedError
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.merge import merged_model
from tooldrill.export.records import AdapterFile
from tooldrill.export.samples import Samples
from tooldrill.export.settings import ExportSettings
from tooldrill.export.streamed import open_streamed
from tooldrill.training.find_base import BaseModel


def export_adapter(
    adapter: Path,
    base: BaseModel,
    path: Path,
    f16: Path,
    *,
    samples: Samples,
    settings: ExportSettings,
) -> tuple[AdapterFile | None, str | None]:
    """Writes the adapter as a GGUF at `path` and compares it with PEFT, where that is cheap.

    Args:
        adapter: a PEFT folder.
        f16: the merged model's file, which tells how large the base's would be.
        samples: conversations to compare on.

    Returns:
        The file, or the reason why llama.cpp's LoRA, or this exporter, cannot express the adapter.

    Raises:
        TooldrillError: when the folder is broken, the disk is full, or the file is not the adapter.
    """
    try:
        return _checked(adapter, base, path, f16, samples, settings), None
    except AdapterUnsupportedError as error:
        return None, f"{error.message}; {error.next_step}"


def _checked(  # noqa: PLR0917 - the caller above is the only one
    adapter: Path,
    base: BaseModel,
    path: Path,
    f16: Path,
    samples: Samples,
    settings: ExportSettings,
) -> AdapterFile:
    model = open_streamed(base, None) or merged_model(base, None)
    made = make_adapter(
        adapter, base, model, path, name=path.stem, dtype=settings.adapter_gguf_type
    )
    made.unchecked = why_unchecked(f16.stat().st_size, path.parent)
    if made.unchecked:
        check_loads(path, f16)
        return made
    base_file = path.with_name(f"{path.stem}-base-F16.gguf")
    try:
        template = samples.template or ""
        write_gguf(model, samples.tokenizer, template, base_file, base=base, name=base.name)
        del model
        gc.collect()  # its modules refer to each other
        made.check = check_adapter(
            path, adapter, base, base_file, samples=samples, settings=settings
        )
        return made
    finally:
        base_file.unlink(missing_ok=True)
