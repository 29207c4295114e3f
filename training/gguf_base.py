"""A GGUF as a base for training: its tokenizer mended, its weights unpacked once.

transformers needs about ten seconds to read and dequantize even a small GGUF, and a run loads its
base half a dozen times. So a small one is unpacked once to safetensors (exact, fp32) in the cache
folder.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tooldrill.agent.atomic import atomic_directory
from tooldrill.agent.cache import cache_folder
from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.agent.errors import TooldrillError
from tooldrill.training.gguf_tokenizer import bpe_tokenizer
from tooldrill.training.own_tokenizer import as_llama_cpp_reads

# fp32 takes 4 bytes a weight: 2 GB on disk for the largest model that is unpacked.
LARGEST_UNPACKED = 500_000_000
LAYOUT_VERSION = 2

_OWN = {"use_safetensors": True, "trust_remote_code": False}

_log = logging.getLogger(__name__)


def load_model(path: Path, dtype: torch.dtype) -> Any:
    """The model of a GGUF, dequantized.

    Raises:
        TooldrillError: when the file is not whole; transformers' errors for what it cannot read.
    """
    folder = unpacked_folder(path)
    if not folder.is_dir() and _small(path):
        _unpack(path, folder)
    if folder.is_dir():
        return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, **_OWN)
    return _read(path, dtype)


def load_tokenizer(path: Path) -> Any:
    """The tokenizer of a GGUF, cutting text as llama.cpp does."""
    folder = unpacked_folder(path)
    if folder.is_dir():
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    return _read_tokenizer(path)


def unpacked_folder(path: Path) -> Path:
    """Where the unpacked copy of this very file lies, or would lie."""
    state = path.stat()
    key = f"{LAYOUT_VERSION}:{path.resolve()}:{state.st_size}:{state.st_mtime_ns}"
    return cache_folder() / f"{path.stem}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def _small(path: Path) -> bool:
    return sum(t.parameters for t in read_gguf_header(path).tensors) <= LARGEST_UNPACKED


def _unpack(path: Path, folder: Path) -> None:
    model, tokenizer = _read(path, torch.float32), _read_tokenizer(path)
    try:
        with atomic_directory(folder) as temporary:
            model.save_pretrained(temporary)
            tokenizer.save_pretrained(temporary)
    except (OSError, TooldrillError) as error:
        _log.warning("no unpacked copy in %s (%s); loading stays slow", folder.parent, error)


def _read(path: Path, dtype: torch.dtype) -> Any:
    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=dtype, trust_remote_code=False
    )
    # The weights are plain now, but transformers still calls them quantized and would not save.
    del model.config.quantization_config
    model.hf_quantizer = None
    model.config.name_or_path = path.stem
    return model


def _read_tokenizer(path: Path) -> Any:
    own = bpe_tokenizer(path)
    if own is not None:
        return own
    own = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name, trust_remote_code=False)
    return as_llama_cpp_reads(own)
