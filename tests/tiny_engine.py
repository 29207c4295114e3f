"""Tiny random models as GGUF files, and turns whose prompts are plain text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tiny_families import make_family
from tiny_llama import make_tokenizer

from tooldrill.agent.engines.base import Generation, Turn
from tooldrill.agent.engines.llama import LlamaEngine
from tooldrill.agent.messages import user
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.render import ChatTemplate
from tooldrill.agent.settings import EngineSettings, SamplingSettings
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.training.find_base import BaseModel

PLAIN = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
"""A template whose prompt is what the messages say, and nothing else."""


def save_gguf(path: Path, kind: str = "llama", change: Any = None, **own: Any) -> Path:
    """Writes a tiny model of the family; `change` may alter the torch model before."""
    tokenizer = make_tokenizer()
    model = make_family(kind, tokenizer, **{"max_position_embeddings": 16384, **own})
    if change is not None:
        change(model)
    base = BaseModel("tiny", str(path.parent))
    write_gguf(model, tokenizer, PLAIN, path, base=base, name="tiny")
    return path


def turn(key: str, text: str, tokens: int = 24, offset: int = 0, **more: Any) -> Turn:
    sampling = more.pop("sampling", SamplingSettings())
    messages = [user(text)]
    return Turn(key, messages, [], get_protocol("react_json"), sampling, tokens, offset, **more)


def open_engine(path: Path, parallel: int = 1, context: int = 512, **more: Any) -> LlamaEngine:
    settings = {"context": context, "parallel": parallel, "threads": 1, "gpu_layers": 0, **more}
    return LlamaEngine(path, EngineSettings.model_validate(settings), PLAIN)


def replies(engine: LlamaEngine, turns: list[Turn]) -> dict[str, Generation]:
    """Runs the turns, as many at once as the engine has slots."""
    waiting, done = list(turns), {}
    under_way = 0
    while waiting or under_way:
        while waiting and under_way < engine.slots:
            engine.submit(waiting.pop(0))
            under_way += 1
        for key, generation in engine.collect():
            engine.release(key)
            done[key] = generation
            under_way -= 1
    return done


NEAR = 0.02
"""Logits as near as this, in standard deviations, are a tie: which wins depends on the kernels.

How many tokens are computed at once changes logits of these models by up to 0.005.
"""


def assert_as_alone(text: str, path: Path, asked: Turn, **engine: Any) -> None:
    """Asserts that `text` is the reply of an engine that has seen nothing before.

    Where two tokens were a tie the replies may part from there on.
    """
    alone = open_engine(path, context=2048, **engine)
    ((_, generation),) = replies(alone, [asked]).items()
    alone.close()
    assert generation.failure is None
    if text == generation.text:
        return
    certain = _until_a_tie(path, asked)
    assert certain is not None, (text, generation.text)
    assert text.startswith(certain), (text, generation.text)
    assert generation.text.startswith(certain), (text, generation.text)


def _until_a_tie(path: Path, asked: Turn) -> str | None:
    """The greedy reply, computed by llama-cpp-python, up to the first tie; None where none is."""
    import llama_cpp

    prompt = ChatTemplate(PLAIN).render(
        asked.messages, asked.tools, asked.protocol, add_generation_prompt=True
    )
    stock = llama_cpp.Llama(str(path), n_ctx=2048, n_threads=1, verbose=False, logits_all=True)
    stock.eval(stock.tokenize(prompt.encode(), add_bos=False, special=True))
    raw, tie = b"", False
    for _ in range(asked.max_tokens):
        logits = stock.scores[stock.n_tokens - 1]
        second, first = np.partition(logits, -2)[-2:]
        tie = bool(first - second < NEAR * logits.std())
        if tie:
            break
        token = int(logits.argmax())
        raw += stock.detokenize([token], special=True)
        stock.eval([token])
    stock.close()
    # The tie may stand inside of a character.
    return raw.decode(errors="replace").rstrip("\N{REPLACEMENT CHARACTER}") if tie else None
