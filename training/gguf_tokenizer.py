"""The byte-level BPE tokenizer that a GGUF holds, as a transformers tokenizer.

transformers reads one too, but takes up to a minute for a large vocabulary, adds an unknown token
that the model has no row for (Llama 3), and cuts every text as GPT-2 does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gguf import TokenType
from tokenizers import AddedToken, Tokenizer, decoders
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.training.own_tokenizer import as_llama_cpp_reads

BYTE_LEVEL = "gpt2"
_KEYS = "tokenizer.ggml."
_ROLES = {"bos": "bos_token", "eos": "eos_token", "unknown": "unk_token", "padding": "pad_token"}


def bpe_tokenizer(path: Path) -> Any | None:
    """The tokenizer of a GGUF, cutting text as llama.cpp does; None for one of another kind.

    Raises:
        TooldrillError: when the file is no sound GGUF.
    """
    metadata = read_gguf_header(path).metadata
    if metadata.get(f"{_KEYS}model") != BYTE_LEVEL:
        return None
    tokens = [str(token) for token in metadata[f"{_KEYS}tokens"]]
    backend = Tokenizer(BPE({text: row for row, text in enumerate(tokens)}, _merges(metadata)))
    backend.pre_tokenizer = ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_tokens(_added(metadata, tokens))
    named = {
        ours: tokens[metadata[key]]
        for role, ours in _ROLES.items()
        if (key := f"{_KEYS}{role}_token_id") in metadata
    }
    if metadata.get(f"{_KEYS}add_bos_token") and "bos_token" in named:
        begin = named["bos_token"]
        backend.post_processor = TemplateProcessing(
            single=f"{begin} $A", pair=f"{begin} $A $B",
            special_tokens=[(begin, metadata[f"{_KEYS}bos_token_id"])],
        )  # fmt: skip
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, chat_template=metadata.get("tokenizer.chat_template"), **named
    )
    return as_llama_cpp_reads(tokenizer, str(metadata.get(f"{_KEYS}pre", "")))


def _merges(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """As llama.cpp splits them: at the first space that is not the first character."""
    pairs = []
    for merge in metadata.get(f"{_KEYS}merges", []):
        at = merge.find(" ", 1)
        pairs.append((merge[:at], merge[at + 1 :]))
    return pairs


def _added(metadata: dict[str, Any], tokens: list[str]) -> list[AddedToken]:
    """The tokens that are found in a text before it is cut."""
    special = {TokenType.CONTROL: True, TokenType.UNKNOWN: True, TokenType.USER_DEFINED: False}
    kinds = metadata.get(f"{_KEYS}token_type", [])
    return [
        AddedToken(text, normalized=False, special=special[kind])
        for text, kind in zip(tokens, kinds, strict=False)
        if kind in special
    ]
