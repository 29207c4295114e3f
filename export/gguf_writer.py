"""From a transformers model and tokenizer to an F16 GGUF file.

It puts the parts together with the official `gguf` writer, one tensor in memory at a time. The
parts are `llama_layout` and `vocabulary`; quantizing is `quantize`'s work.
"""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Any

import gguf
from gguf.utility import size_label

from tooldrill.agent.atomic import atomic_path
from tooldrill.agent.progress import Progress, silent
from tooldrill.export import llama_layout
from tooldrill.export.disk import require_space
from tooldrill.export.vocabulary import read_vocabulary, write_vocabulary
from tooldrill.training.find_base import BaseModel
from tooldrill.training.gguf_header import read_gguf_header

_LICENSE_LINE = re.compile(r"^license:\s*(\S+)\s*$", re.MULTILINE)


def write_gguf(
    model: Any,
    tokenizer: Any,
    template: str,
    path: Path,
    *,
    base: BaseModel,
    name: str,
    progress: Progress = silent,
) -> None:
    """Writes an F16 GGUF (vectors in F32); `path` appears whole or not at all.

    Args:
        template: the chat template of the training, embedded as it is.
        base: what the model was made from, for the file's metadata.
        name: `general.name`.

    Raises:
        TooldrillError: for what GGUF's llama cannot express, and when the disk is full.
    """
    config = model.config
    llama_layout.check_architecture(config)
    vocabulary = read_vocabulary(tokenizer, config.vocab_size, base)
    stored = sum(weights.numel() for _, weights in llama_layout.tensors(model))
    require_space(path, 2 * stored)
    with atomic_path(path) as temporary:
        writer = gguf.GGUFWriter(temporary, llama_layout.ARCHITECTURE)
        try:
            _write_general(writer, base, name, stored)
            llama_layout.write_hyperparameters(writer, config)
            write_vocabulary(writer, vocabulary)
            writer.add_chat_template(template)
            _write_tensors(writer, model, progress)
        finally:
            writer.close()


def _write_general(writer: gguf.GGUFWriter, base: BaseModel, name: str, parameters: int) -> None:
    source = read_gguf_header(base.gguf_path).metadata if base.gguf_path else {}
    writer.add_type("model")
    writer.add_name(name)
    writer.add_size_label(size_label(parameters, parameters, 0, 0))
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
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


def _write_tensors(writer: gguf.GGUFWriter, model: Any, progress: Progress) -> None:
    plan = [(name, tuple(weights.shape)) for name, weights in llama_layout.tensors(model)]
    for name, shape in plan:
        kind = llama_layout.stored_type(shape)
        size = kind.itemsize
        for length in shape:
            size *= length
        writer.add_tensor_info(name, shape, kind, size)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for number, (name, weights) in enumerate(llama_layout.tensors(model), 1):
        try:
            writer.write_tensor_data(llama_layout.stored_array(name, weights))
        except OSError as error:
            # numpy reports a short write without an error number; only a full disk makes one.
            raise OSError(error.errno or errno.ENOSPC, str(error)) from error
        progress(number, len(plan), name)
