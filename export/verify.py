"""Whether a GGUF is the model it was made from: the same tokens, nearly the same logits.

The F16 file must pass the settings' gate; the quantized files are measured and reported. What the
model is good for is the evaluation's question, not this module's.
"""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress, silent
from tooldrill.export.awkward import awkward_texts
from tooldrill.export.compare import NEAR_TIE, LogitTally
from tooldrill.export.logits import LogitReader
from tooldrill.export.records import GreedyCheck, LogitCheck, TokenCheck, Verification
from tooldrill.export.settings import ExportSettings, Quantization

MAX_TOKENS = 192  # of a text: a second or two for each file on two cores
PROMPT_TOKENS = 48
REPLY_TOKENS = 16
_AGAIN = "report this with verify.json: the exporter and llama.cpp disagree about this model"


def verify(
    model: Any,
    tokenizer: Any,
    files: Mapping[Quantization, Path],
    texts: Sequence[str],
    *,
    settings: ExportSettings,
    progress: Progress = silent,
) -> Verification:
    """Compares every file with the merged model; a failure of the gate stands in `failure`.

    Args:
        model: the merged transformers model, in fp32.
        files: must hold F16.
        texts: rendered conversations that the model was not trained on; each is cut off after
            `MAX_TOKENS` tokens.
    """
    started = time.perf_counter()
    result = Verification()
    try:
        result.tokens = check_tokens(tokenizer, files["F16"], texts)
        encoded = _encode(tokenizer, texts)
        result.logits = check_logits(model, files, encoded, progress)
        _gate(result.logits, settings, tokenizer, encoded)
        result.greedy = check_greedy(model, tokenizer, files["F16"], encoded)
    except TooldrillError as error:
        result.failure = error.message
    result.seconds = time.perf_counter() - started
    return result


def check_tokens(tokenizer: Any, path: Path, texts: Sequence[str] = ()) -> TokenCheck:
    """Token ids from transformers and from llama.cpp must be equal on awkward texts.

    A tokenizer that composes characters first (Qwen's) is compared on composed text: llama.cpp
    never does that, so decomposed text reaches a model otherwise than in training.

    Raises:
        TooldrillError: at the first text with different ids.
    """
    model = GgufModel(path, vocabulary_only=True)
    try:
        tried = [*awkward_texts(sorted(tokenizer.all_special_tokens)), *texts]
        total = 0
        for text in map(composed, tried) if composes(tokenizer) else tried:
            expected = tokenizer.encode(text, add_special_tokens=False)
            given = model.tokenize(text)
            if expected != given:
                raise _different_tokens(tokenizer, text, expected, given)
            total += len(expected)
        return TokenCheck(texts=len(tried), tokens=total)
    finally:
        model.close()


def composes(tokenizer: Any) -> bool:
    """Whether the tokenizer brings text into Unicode's composed form (NFC) first."""
    described = json.loads(tokenizer.backend_tokenizer.to_str())["normalizer"]
    return bool(described and described["type"] == "NFC")


def composed(text: str) -> str:
    """Text as such a tokenizer reads it."""
    return unicodedata.normalize("NFC", text)


def check_logits(
    model: Any,
    files: Mapping[Quantization, Path],
    encoded: Sequence[Sequence[int]],
    progress: Progress = silent,
) -> list[LogitCheck]:
    """Measures each file against the merged model at every position of every text."""
    context = max(len(tokens) for tokens in encoded)
    readers = {quantization: LogitReader(path, context) for quantization, path in files.items()}
    tallies = {quantization: LogitTally(quantization) for quantization in files}
    try:
        for number, tokens in enumerate(encoded):
            expected = _model_logits(model, tokens)
            for quantization, reader in readers.items():
                tallies[quantization].add(number, expected, reader.logits(tokens))
            progress(number + 1, len(encoded), f"compared text {number + 1}")
    finally:
        for reader in readers.values():
            reader.close()
    return [tally.result() for tally in tallies.values()]


def check_greedy(
    model: Any, tokenizer: Any, path: Path, encoded: Sequence[Sequence[int]], prompts: int = 3
) -> GreedyCheck:
    """Greedy continuations must be equal, but for near ties.

    Raises:
        TooldrillError: at the first continuation that parts without a near tie.
    """
    reader = LogitReader(path, PROMPT_TOKENS + REPLY_TOKENS)
    equal = ties = 0
    chosen = [list(tokens[:PROMPT_TOKENS]) for tokens in encoded[:prompts]]
    try:
        for number, prompt in enumerate(chosen):
            given = reader.greedy(prompt, REPLY_TOKENS)
            parted = _first_parting(model, prompt, given)
            if parted is None:
                equal += 1
                continue
            position, expected, gap = parted
            if gap > NEAR_TIE:
                raise TooldrillError(
                    f"greedy continuation {number} parts at token {position}: the merged model says"
                    f" {_show(tokenizer, expected)}, F16 {_show(tokenizer, given[position])}"
                    f" (logits {gap:.2f} apart)",
                    _AGAIN,
                )
            ties += 1
    finally:
        reader.close()
    return GreedyCheck(prompts=len(chosen), tokens=REPLY_TOKENS, equal=equal, near_ties=ties)


def _encode(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    encoded = [tokenizer.encode(t, add_special_tokens=False)[:MAX_TOKENS] for t in texts]
    encoded = [tokens for tokens in encoded if tokens]
    if not encoded:
        raise TooldrillError("there is no text to verify with", "give samples that are not empty")
    return encoded


@torch.no_grad()
def _model_logits(model: Any, tokens: Sequence[int]) -> np.ndarray[Any, Any]:
    logits: np.ndarray[Any, Any] = model(torch.tensor([list(tokens)])).logits[0].float().numpy()
    return logits


def _first_parting(
    model: Any, prompt: Sequence[int], reply: Sequence[int]
) -> tuple[int, int, float] | None:
    """Where the model's greedy choice leaves `reply`: position, its own token, logit gap.

    Up to that position both have read the same tokens, so one forward pass over the reply finds
    it: no second generation is needed.
    """
    logits = _model_logits(model, [*prompt, *reply[:-1]])[len(prompt) - 1 :]
    for position, token in enumerate(reply):
        best = int(logits[position].argmax())
        if best != token:
            return position, best, float(logits[position, best] - logits[position, token])
    return None


def _gate(
    checks: Sequence[LogitCheck],
    settings: ExportSettings,
    tokenizer: Any,
    encoded: Sequence[Sequence[int]],
) -> None:
    check = next(c for c in checks if c.quantization == "F16")
    agreeing = check.top1 + check.near_ties
    # Written so that a NaN fails.
    if check.mean_kl <= settings.max_kl_f16 and agreeing >= settings.min_top1_f16:
        return
    token = encoded[check.worst_text][check.worst_position]
    raise TooldrillError(
        f"the F16 file is not the merged model: mean KL {check.mean_kl:.2g} nats (at most"
        f" {settings.max_kl_f16:g}), same top token {agreeing:.1%} (at least"
        f" {settings.min_top1_f16:.0%}); worst at text {check.worst_text}, position"
        f" {check.worst_position}, after {_show(tokenizer, token)}",
        _AGAIN,
    )


def _different_tokens(
    tokenizer: Any, text: str, expected: Sequence[int], given: Sequence[int]
) -> TooldrillError:
    pairs = zip(expected, given, strict=False)
    at = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(expected), len(given)))
    shown = [_show(tokenizer, ids[at]) if at < len(ids) else "its end" for ids in (expected, given)]
    return TooldrillError(
        f"token {at} of {text[:60]!r} is {shown[0]} in training and {shown[1]} in llama.cpp",
        "the pre-tokenizer's name is wrong for this model: report it with the model's name",
    )


def _show(tokenizer: Any, token: int) -> str:
    return f"{token} ({tokenizer.convert_ids_to_tokens(int(token))!r})"
