"""Whether each GGUF is the model it was made from: the same tokens, nearly the same logits.

The last links of the chain: merged weights to the F16 file, and to each quantization. The first
one, adapter to merged weights, is `merging`'s. What the model is good for is the evaluation's
question.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress, silent
from tooldrill.export.compare import NEAR_TIE, LogitTally
from tooldrill.export.gates import AGAIN, breach_of_quantized, place_told, require_f16
from tooldrill.export.heap import give_back
from tooldrill.export.logits import LogitReader
from tooldrill.export.merging import Merged
from tooldrill.export.readings import Reading, model_logits
from tooldrill.export.records import GreedyCheck, TensorCheck, Verification
from tooldrill.export.same_tokens import check_tokens, show
from tooldrill.export.samples import Samples
from tooldrill.export.settings import ExportSettings, Quantization
from tooldrill.export.tensors import worst_tensor

PROMPTS, PROMPT_TOKENS, REPLY_TOKENS = 2, 48, 16


def verify(
    merged: Merged,
    files: Mapping[Quantization, Path],
    samples: Samples,
    *,
    settings: ExportSettings,
    tensors: TensorCheck | None = None,
    progress: Progress = silent,
) -> Verification:
    """Compares every file with the merged model; a failure of the gate stands in `failure`.

    Args:
        merged: see `merge_measured`.
        files: must hold F16.
        samples: those that the merged model was read to.
        tensors: the F16 file's tensors against the model's, where they were compared.
    """
    started = time.perf_counter()
    result = Verification(samples=samples.facts, merge=merged.check, tensors=tensors)
    try:
        f16 = files["F16"]
        result.tokens = check_tokens(samples.tokenizer, f16, samples.texts)
        check_template(f16, samples.template)
        _check_files(result, merged.said, files, samples, settings=settings, progress=progress)
        result.greedy = check_greedy(merged.model, samples, f16)
    except TooldrillError as error:
        result.failure = error.message
    result.seconds = time.perf_counter() - started
    return result


def _check_files(
    result: Verification,
    said: Reading,
    files: Mapping[Quantization, Path],
    samples: Samples,
    *,
    settings: ExportSettings,
    progress: Progress,
) -> None:
    """F16 first: what is wrong there is wrong in all the others.

    Raises:
        TooldrillError: at the first file beyond its gate.
    """
    ordered = sorted(files, key=lambda quantization: quantization != "F16")
    for number, quantization in enumerate(ordered):
        give_back()
        tally = tally_file(said, quantization, files[quantization], samples)
        check = tally.result()
        result.logits.append(check)
        progress(number + 1, len(ordered), f"compared {quantization}")
        if quantization == "F16":
            require_f16(tally, check, samples, settings, result.tensors)
            continue
        breach = breach_of_quantized(check, settings)
        if breach:
            name, error = worst_tensor(files["F16"], files[quantization])
            raise TooldrillError(
                f"the {quantization} file is too far from the merged model: {breach}; "
                f"{place_told(tally, settings.max_kl_quantized or 0.0, samples)}; "
                f"farthest from F16 is the tensor {name} (relative error {error:.2g})",
                "leave it out of export.quantizations, or set export.max_kl_quantized=null",
            )


def tally_file(
    said: Reading, quantization: Quantization, path: Path, samples: Samples
) -> LogitTally:
    """What a file says to the samples, against what its model says."""
    tally = LogitTally(quantization)
    reader = LogitReader(path, samples.longest)
    try:
        for number, sample in enumerate(samples.items):
            given = reader.rows(sample.tokens, sample.positions)
            tally.add(number, said.logits(number), given, sample.positions, sample.learned)
    finally:
        reader.close()
    return tally


def check_template(path: Path, template: str | None) -> None:
    """The chat template in the file must be the one that the samples were rendered with.

    Args:
        template: None for samples that are no conversations.

    Raises:
        TooldrillError: when it is another one.
    """
    written = read_gguf_header(path).metadata.get("tokenizer.chat_template")
    if template is not None and written != template:
        held = "no chat template" if written is None else "another chat template than the training"
        raise TooldrillError(f"{path.name} holds {held}", AGAIN)


def check_greedy(model: Any, samples: Samples, path: Path) -> GreedyCheck:
    """Greedy continuations of the F16 file must be the model's, but for near ties.

    Raises:
        TooldrillError: at the first continuation that parts without a near tie.
    """
    reader = LogitReader(path, PROMPT_TOKENS + REPLY_TOKENS)
    chosen = [sample.tokens[:PROMPT_TOKENS] for sample in samples.items[:PROMPTS]]
    try:
        replies = [reader.greedy(prompt, REPLY_TOKENS) for prompt in chosen]
    finally:
        reader.close()
    equal = 0
    for number, (prompt, reply) in enumerate(zip(chosen, replies, strict=True)):
        # Up to where they part both have read the same tokens: one pass over the reply finds it.
        places = range(len(prompt) - 1, len(prompt) + REPLY_TOKENS - 1)
        rows = model_logits(model, [*prompt, *reply[:-1]], places)
        own = rows.argmax(-1)
        at = next((i for i, token in enumerate(reply) if token != own[i]), None)
        if at is None:
            equal += 1
            continue
        gap = float(np.subtract(rows[at, own[at]], rows[at, reply[at]]))
        if not gap <= NEAR_TIE:
            named = [show(samples.tokenizer, token) for token in (int(own[at]), reply[at])]
            raise TooldrillError(
                f"greedy continuation {number} parts at token {at}: the merged model says"
                f" {named[0]}, F16 {named[1]} (logits {gap:.2f} apart)",
                AGAIN,
            )
    return GreedyCheck(
        prompts=len(chosen), tokens=REPLY_TOKENS, equal=equal, near_ties=len(chosen) - equal
    )
