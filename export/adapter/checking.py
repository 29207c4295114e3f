"""Whether the adapter's file computes what PEFT does: llama.cpp with `--lora` against PEFT.

llama.cpp reads the base from an F16 file; PEFT keeps the adapter beside the base in fp32. The two
are never in memory together. What the model is good for is the evaluation's question.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.compare import NEAR_TIE, DeltaTally, Logits
from tooldrill.export.logits import LogitReader
from tooldrill.export.merge import tuned_model
from tooldrill.export.readings import model_logits
from tooldrill.export.records import AdapterCheck, GreedyCheck
from tooldrill.export.samples import Sample, Samples
from tooldrill.export.settings import ExportSettings
from tooldrill.export.streamed import open_adapted
from tooldrill.training.examples import IGNORED
from tooldrill.training.find_base import BaseModel

MAX_BASE = 10e9  # bytes of the base's F16 file; a larger one is not written for a comparison
SAMPLES = 2  # every token is computed by both: some ten seconds for SmolLM2 on two cores
SHORTEST_PROMPT, REPLY_TOKENS = 16, 16


@dataclass
class _Said:
    """What llama.cpp makes of one sample: logits at its positions, a greedy reply to its start."""

    sample: Sample
    logits: Logits
    reply: list[int]

    @property
    def prompt(self) -> list[int]:
        return _prompt(self.sample)


def why_unchecked(f16_bytes: int, folder: Path) -> str | None:
    """Why a base of this size is not written on purpose for the comparison, or None."""
    if f16_bytes > MAX_BASE:
        return f"the base's F16 file would have {f16_bytes / 1e9:.0f} GB"
    if shutil.disk_usage(folder).free < 1.1 * f16_bytes:
        return "the disk has no room for the base's F16 file"
    return None


def check_loads(path: Path, model: Path) -> None:
    """llama.cpp must take the adapter for a GGUF of the same architecture and shapes.

    Raises:
        TooldrillError: when it does not.
    """
    LogitReader(model, REPLY_TOKENS, [path]).close()


def check_adapter(
    path: Path,
    adapter: Path,
    base: BaseModel,
    base_file: Path,
    *,
    samples: Samples,
    settings: ExportSettings,
) -> AdapterCheck:
    """Compares logits and greedy replies.

    Args:
        path: the GGUF of the adapter; base_file: that of the base.
        adapter: the PEFT folder.
        samples: conversations, the first few of which are compared on; the replies begin at the
            first learned token.

    Raises:
        TooldrillError: beyond the gates of the F16 file, or when a reply parts without a near tie.
    """
    said = _ask_llama_cpp(base_file, path, samples)
    model = open_adapted(base, adapter) or tuned_model(base, adapter)
    tally = DeltaTally()
    for number, one in enumerate(said):
        sample = one.sample
        expected = model_logits(model, sample.tokens, sample.positions)
        tally.add(number, expected, one.logits, sample.positions, sample.learned)
    delta = tally.delta()
    agreeing = delta.top1 + delta.near_ties
    # Written so that a NaN fails.
    if not (delta.mean_kl <= settings.max_kl_f16 and agreeing >= settings.min_top1_f16):
        raise _different(
            f"mean KL {delta.mean_kl:.2g} nats (at most {settings.max_kl_f16:g}), same top token"
            f" {agreeing:.1%} (at least {settings.min_top1_f16:.0%})"
        )
    return AdapterCheck(logits=delta, greedy=_check_replies(model, said))


def _ask_llama_cpp(base_file: Path, path: Path, samples: Samples) -> list[_Said]:
    context = max(samples.longest, SHORTEST_PROMPT) + REPLY_TOKENS
    reader = LogitReader(base_file, context, [path])
    try:
        return [
            _Said(
                sample,
                reader.rows(sample.tokens, sample.positions),
                reader.greedy(_prompt(sample), REPLY_TOKENS),
            )
            for sample in samples.items[:SAMPLES]
        ]
    finally:
        reader.close()


def _prompt(sample: Sample) -> list[int]:
    """What stands before the first learned token, or a few tokens where everything is learned."""
    pairs = zip(sample.positions, sample.learned, strict=True)
    first = next((position for position, learned in pairs if learned != IGNORED), 0)
    return sample.tokens[: max(first + 1, SHORTEST_PROMPT)]


def _check_replies(model: Any, said: Sequence[_Said]) -> GreedyCheck:
    equal = ties = 0
    for number, one in enumerate(said):
        # Up to where they part both have read the same tokens: one pass over the reply finds it.
        places = range(len(one.prompt) - 1, len(one.prompt) + REPLY_TOKENS - 1)
        rows = model_logits(model, [*one.prompt, *one.reply[:-1]], places)
        gaps = rows.max(-1) - rows[np.arange(len(one.reply)), one.reply]
        parted = next((float(gap) for gap in gaps if gap > 0), None)
        if parted is None:
            equal += 1
        elif parted <= NEAR_TIE:
            ties += 1
        else:
            raise _different(f"greedy reply {number} parts where logits are {parted:.2f} apart")
    return GreedyCheck(prompts=len(said), tokens=REPLY_TOKENS, equal=equal, near_ties=ties)


def _different(reason: str) -> TooldrillError:
    return TooldrillError(
        f"the adapter's GGUF is not what PEFT computes: {reason}",
        "report this; to export the other files, set export.adapter_gguf=false",
    )
