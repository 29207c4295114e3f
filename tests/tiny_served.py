"""A tiny model as a GGUF file, and what a server makes of a conversation with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tiny_llama import make_model

from tooldrill.agent.episode import Message
from tooldrill.agent.messages import conclusion_message
from tooldrill.agent.protocols.base import Tools
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.serving.scenes import Scene
from tooldrill.export.serving.session import Session
from tooldrill.training.find_base import BaseModel

CONTEXT = 8192


def save_gguf(tokenizer: Any, template: str, folder: Path) -> Path:
    """A tiny model with the tokenizer, and the chat template in its file."""
    path = folder / "model.gguf"
    model = make_model(tokenizer, max_position_embeddings=CONTEXT)
    write_gguf(model, tokenizer, template, path, base=BaseModel("tiny", str(folder)), name="tiny")
    return path


def scene(messages: list[Message], tools: Tools) -> Scene:
    """A conversation as serve-check takes it; what the reply would be does not matter."""
    return Scene("a conversation", tuple(messages), tools, conclusion_message("Done."))


def served_ids(session: Session, messages: list[Message], tools: Tools) -> list[int]:
    """The tokens that the server makes of it."""
    ids = session.served.prompt_ids(*session.request(scene(messages, tools)))
    assert isinstance(ids, list), ids
    return ids
