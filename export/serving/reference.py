"""What training would make of a conversation: its tokens, how a reply ends, how a call is written.

The template is the one in the GGUF, as the exporter writes training's own there; another can be
given where the file may have been changed since.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

import llama_cpp

from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol, Tools
from tooldrill.agent.render import BUNDLED_TEMPLATES, ChatTemplate, bundled_template
from tooldrill.agent.turns import reply_end

_AROUND = 24  # characters shown before the place where two prompts part
_SHOWN = 4  # tokens shown after it


class Reference:
    """The vocabulary of a GGUF and the chat template of its training.

    Args:
        path: the GGUF; its weights are not loaded.
        template: a Jinja file or the name of a bundled template; None for the embedded one.

    Raises:
        TooldrillError: when the file cannot be loaded, holds no template, or the given one cannot
            be read.
    """

    def __init__(self, path: Path, template: str | None = None) -> None:
        self._model = GgufModel(path, vocabulary_only=True)
        source = self._model.chat_template if template is None else template_source(template)
        if source is None:
            raise TooldrillError(
                f"{path} holds no chat template", "give training's: --template FILE"
            )
        self._bos, self._eos = self._model.bos_text, self._model.eos_text
        self.template = ChatTemplate(source, self._bos, self._eos)

    def prompt_ids(
        self, messages: Sequence[Message], tools: Tools, protocol: CallProtocol
    ) -> list[int]:
        """The prompt of a reply, as training and the loop make it.

        Raises:
            TooldrillError: when the template refuses the conversation.
        """
        text = self.template.render(messages, tools, protocol, add_generation_prompt=True)
        return self._model.prompt_tokens(text)

    @cached_property
    def ending(self) -> tuple[str, list[int]]:
        """What training writes after a reply, and its tokens; "" where that cannot be told."""
        text = reply_end(self.template, self._bos, self._eos) or ""
        return text, self._model.tokenize(text) if text else []

    @property
    def eos(self) -> int:
        """The token that ends a text, as the file says."""
        return int(llama_cpp.llama_vocab_eos(self._model.vocab))

    @cached_property
    def control_tokens(self) -> dict[int, str]:
        """The tokens that are no text, `<|im_end|>` and the like, as the file says."""
        control = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL
        vocabulary = self._model.vocab
        return {
            token: self._model.text(token)
            for token in range(self._model.vocabulary_size)
            if llama_cpp.llama_vocab_get_attr(vocabulary, token) & control
        }

    def reply_text(self, tokens: Sequence[int]) -> str:
        """A generated reply, special tokens inside written out, without the one that ended it."""
        ended = tokens and self._model.ends_reply(tokens[-1])
        return self.text(tokens[:-1] if ended else tokens)

    def tokenize(self, text: str) -> list[int]:
        """The tokens of a text, special ones read as such."""
        return self._model.tokenize(text)

    def text(self, tokens: Sequence[int]) -> str:
        """What tokens stand for, special ones included."""
        return b"".join(map(self._model.piece, tokens)).decode(errors="replace")

    def parting(self, expected: Sequence[int], given: Sequence[int]) -> str:
        """Where two prompts part, in words."""
        pairs = enumerate(zip_longest(expected, given))
        at = next(index for index, (ours, theirs) in pairs if ours != theirs)
        before = self.text(expected[:at])[-_AROUND:]
        ours, theirs = (
            repr(self.text(ids[at : at + _SHOWN])) if at < len(ids) else "its end"
            for ids in (expected, given)
        )
        return (
            f"{len(given)} tokens; after {before!r} (token {at}) training has {ours}, "
            f"the server {theirs}"
        )

    def close(self) -> None:
        """Frees the vocabulary."""
        self._model.close()


def template_source(template: str) -> str:
    """The text of a chat template: a file's, or a bundled one's.

    Raises:
        TooldrillError: when the file cannot be read.
    """
    if template in BUNDLED_TEMPLATES:
        return bundled_template(template)
    try:
        return Path(template).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TooldrillError(
            f"cannot read the chat template {template}: {error}",
            f"give a Jinja file, or one of: {', '.join(BUNDLED_TEMPLATES)}",
        ) from error
