"""From a transformers model and tokenizer to an F16 or BF16 GGUF file.

It puts the parts together with the official `gguf` writer, one tensor in memory at a time. The
parts are `layouts` and `vocabulary`; quantizing is `quantize`'s work.
"""

from __future__ import annotations

import errno
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf.utility import size_label

from tooldrill.agent.atomic import atomic_path
from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.agent.progress import Progress, silent
from tooldrill.export.disk import require_space
from tooldrill.export.layouts.registry import layout_for
from tooldrill.export.layouts.stored import StoredTensor
from tooldrill.export.settings import Unquantized
from tooldrill.export.vocabulary import read_vocabulary, stop_tokens, write_vocabulary
from tooldrill.training.find_base import BaseModel

_FILE_TYPES: dict[Unquantized, gguf.LlamaFileType] = {
    "F16": gguf.LlamaFileType.MOSTLY_F16,
    "BF16": gguf.LlamaFileType.MOSTLY_BF16,
}
_LICENSE_LINE = re.compile(r"^license:\s*(\S+)\s*$", re.MULTILINE)


def write_gguf(
    model: Any,
    tokenizer: Any,
    template: str,
    path: Path,
    *,
    base: BaseModel,
    name: str,
    kind: Unquantized = "F16",
    progress: Progress = silent,
) -> None:
    """Writes an F16 or BF16 GGUF (vectors in F32); `path` appears whole or not at all.

    Args:
        template: the chat template of the training, embedded as it is.
        base: what the model was made from, for the file's metadata.
        name: `general.name`.
        kind: of the matrices. Either is made of the model's own weights, none of the other.

    Raises:
        UnsupportedError: for what GGUF, or this exporter, cannot express.
        TooldrillError: when a weight does not fit, and when the disk is full.
    """
    layout = layout_for(model.config)
    rows = layout.config.vocab_size
    vocabulary = read_vocabulary(tokenizer, rows, base, template, stop_tokens(model))
    tensors = list(layout.tensors(model))
    require_space(path, sum(tensor.bytes for tensor in tensors))
    with atomic_path(path) as temporary:
        writer = gguf.GGUFWriter(temporary, layout.name)
        try:
            _write_general(writer, base, name, sum(math.prod(t.shape) for t in tensors), kind)
            layout.write_hyperparameters(writer)
            write_vocabulary(writer, vocabulary)
            writer.add_chat_template(template)
            _write_tensors(writer, tensors, kind, progress)
        finally:
            writer.close()


def _write_general(
    writer: gguf.GGUFWriter, base: BaseModel, name: str, parameters: int, kind: Unquantized
) -> None:
    source = read_gguf_header(base.gguf_path).metadata if base.gguf_path else {}
    writer.add_type("model")
    writer.add_name(name)
    writer.add_size_label(size_label(parameters, parameters, 0, 0))
    writer.add_file_type(_FILE_TYPES[kind])
    license_name = source.get("general.license") or _license_of_folder(Path(base.folder))
    if license_name:
        writer.add_license(license_name)
    if name == base.name:
        return
    writer.add_finetune("tooldrill")
    writer.add_tags(["tool-calling", "tooldrill"])
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, str(source.get("general.name") or base.name))
    if source.get("general.organization"):
        writer.add_base_model_organization(0, source["general.organization"])
    if base.gguf_file is None and not Path(base.folder).is_dir():
        writer.add_base_model_repo_url(0, f"https://huggingface.co/{base.folder}")


def _license_of_folder(folder: Path) -> str | None:
    """The license that a model card's front matter names, if there is a card."""
    card = folder / "README.md"
    if not card.is_file():
        return None
    front = card.read_text("utf-8", errors="replace").split("\n---", 1)[0]
    found = _LICENSE_LINE.search(front)
    return found.group(1) if found else None


def _write_tensors(
    writer: gguf.GGUFWriter, tensors: Sequence[StoredTensor], kind: Unquantized, progress: Progress
) -> None:
    brain = kind == "BF16"
    for tensor in tensors:
        stored = gguf.GGMLQuantizationType.BF16 if brain and tensor.dtype == np.float16 else None
        writer.add_tensor_info(tensor.name, tensor.shape, tensor.dtype, tensor.bytes, stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for number, tensor in enumerate(tensors, 1):
        try:
            writer.write_tensor_data(tensor.array(brain))
        except OSError as error:
            # numpy reports a short write without an error number; only a full disk makes one.
            raise OSError(error.errno or errno.ENOSPC, str(error)) from error
        progress(number, len(tensors), tensor.name)
