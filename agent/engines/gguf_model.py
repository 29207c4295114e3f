"""A GGUF file loaded by llama.cpp: its vocabulary and its metadata.

Only what every user of a loaded model needs; generating text is `llama`'s work.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path

import llama_cpp

from tooldrill.agent.engines import native_log
from tooldrill.agent.engines.gguf_check import check_gguf
from tooldrill.agent.errors import TooldrillError


class GgufModel:
    """A loaded model.

    Args:
        path: the GGUF file.
        gpu_layers: layers to put on the GPU, -1 for all.
        vocabulary_only: load no weights.

    Raises:
        TooldrillError: as `check_gguf`, and when llama.cpp refuses the file.
    """

    def __init__(self, path: Path, *, gpu_layers: int = -1, vocabulary_only: bool = False) -> None:
        check_gguf(path)
        native_log.quiet()
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = 999 if gpu_layers < 0 else gpu_layers
        params.vocab_only = vocabulary_only
        self.path = path
        with native_log.errors() as said:
            self.handle = llama_cpp.llama_model_load_from_file(os.fsencode(path), params)
        if not self.handle:
            why = native_log.reason(said, "the file is damaged or its architecture is unknown")
            raise TooldrillError(
                f"llama.cpp cannot load {path}: {why}",
                "make it again (tooldrill export CONFIG --force), or check the download's sha256",
            )
        self.vocab = llama_cpp.llama_model_get_vocab(self.handle)
        self.vocabulary_size = int(llama_cpp.llama_vocab_n_tokens(self.vocab))

    def tokenize(self, text: str, *, special: bool = True) -> list[int]:
        """Token ids of `text`; `special` reads `<|im_start|>` and the like as one token."""
        raw = text.encode()
        capacity = len(raw) + 8
        while True:
            buffer = (llama_cpp.llama_token * capacity)()
            count = llama_cpp.llama_tokenize(
                self.vocab, raw, len(raw), buffer, capacity, False, special
            )
            if count >= 0:
                return list(buffer[:count])
            capacity = -count

    def prompt_tokens(self, text: str) -> list[int]:
        """Token ids of a rendered conversation, with the BOS token that the model asks for."""
        tokens = self.tokenize(text)
        bos = int(llama_cpp.llama_vocab_bos(self.vocab))
        wanted = llama_cpp.llama_vocab_get_add_bos(self.vocab) and bos >= 0
        return [bos, *tokens] if wanted and tokens[:1] != [bos] else tokens

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for, special tokens included."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = llama_cpp.llama_token_to_piece(self.vocab, token, buffer, size, 0, True)
            if count >= 0:
                return buffer.raw[:count]
            size = -count

    def text(self, token: int) -> str:
        """How a token is written in the vocabulary, empty for a negative id."""
        if token < 0:
            return ""
        return str(llama_cpp.llama_vocab_get_text(self.vocab, token).decode(errors="replace"))

    @property
    def bos_text(self) -> str:
        return self.text(int(llama_cpp.llama_vocab_bos(self.vocab)))

    @property
    def eos_text(self) -> str:
        return self.text(int(llama_cpp.llama_vocab_eos(self.vocab)))

    def ends_reply(self, token: int) -> bool:
        return bool(llama_cpp.llama_vocab_is_eog(self.vocab, token))

    @property
    def chat_template(self) -> str | None:
        """The template for conversations with tools, where the file has one of its own for them."""
        for name in (b"tool_use", None):
            raw = llama_cpp.llama_model_chat_template(self.handle, name)
            if raw:
                return str(raw.decode())
        return None

    def close(self) -> None:
        if self.handle:
            llama_cpp.llama_model_free(self.handle)
            self.handle = None

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, TypeError):
            self.close()
