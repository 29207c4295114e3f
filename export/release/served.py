"""What a server has to know of a GGUF file: its context, what ends a reply, its chat template."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import llama_cpp

from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.agent.engines.gguf_model import GgufModel

# Agents begin with some 6,000 tokens and take 15 to 50 steps.
_ENOUGH = 16_384
_UNTOLD = 8_192
_FILLING = ("pre", "suf", "mid", "pad", "rep", "sep")


@dataclass(frozen=True)
class ServedModel:
    """A GGUF file as a server sees it.

    Attributes:
        context: tokens to serve it with: what it was made for, but no more than agents need.
        trained_context: what it was made for; None when the file does not tell.
        stops: the tokens that end a reply, as text; those of a turn before the others.
        template: the chat template, "" when there is none.
        parameters: number of weights.
    """

    architecture: str
    context: int
    trained_context: int | None
    stops: tuple[str, ...]
    template: str
    parameters: int


def served_model(path: Path) -> ServedModel:
    """Reads a GGUF file; its weights are not loaded.

    Raises:
        TooldrillError: when it is not a whole GGUF that llama.cpp can read.
    """
    header = read_gguf_header(path)
    trained = header.metadata.get(f"{header.architecture}.context_length")
    trained = trained if isinstance(trained, int) and trained > 0 else None
    return ServedModel(
        architecture=header.architecture,
        context=min(trained or _UNTOLD, _ENOUGH),
        trained_context=trained,
        stops=_stops(path, header.metadata),
        template=str(header.metadata.get("tokenizer.chat_template", "")),
        parameters=sum(tensor.parameters for tensor in header.tensors),
    )


def _stops(path: Path, metadata: dict[str, object]) -> tuple[str, ...]:
    """What llama.cpp ends a reply at; it knows more tokens by name than the file lists.

    Those for filling in code end one too, but no chat has them.
    """
    model = GgufModel(path, vocabulary_only=True)
    try:
        filling = {int(getattr(llama_cpp, f"llama_vocab_fim_{n}")(model.vocab)) for n in _FILLING}
        ending = [token for token in range(model.vocabulary_size) if model.ends_reply(token)]
        named = [metadata.get(f"tokenizer.ggml.{role}_token_id") for role in ("eot", "eos")]
        own = [token for token in ending if token in named]
        own.sort(key=named.index)
        texts = [model.text(t) for t in (*own, *(t for t in ending if t not in filling))]
    finally:
        model.close()
    return tuple(dict.fromkeys(text for text in texts if text and text.isprintable()))
