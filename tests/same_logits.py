"""Whether a GGUF of a tiny model computes what the model does, as near as F16 weights come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from tooldrill.export.compare import NEAR_TIE, kl_divergence
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.logits import LogitReader
from tooldrill.training.find_base import BaseModel

TOKENS = 120  # longer than every window, convolution and chunk of the tiny models


def export(model: Any, tokenizer: Any, path: Path) -> Path:
    """Writes the model's GGUF."""
    write_gguf(model, tokenizer, "x", path, base=BaseModel("tiny", str(path.parent)), name="tiny")
    return path


@torch.no_grad()
def both_logits(model: Any, path: Path, count: int = TOKENS) -> tuple[np.ndarray, np.ndarray]:
    """The model's and the file's, of shape (positions, rows), after random tokens."""
    tokens = [int(t) for t in torch.randint(0, 400, (count,), generator=torch.manual_seed(1))]
    reader = LogitReader(path, len(tokens))
    given = reader.logits(tokens)
    reader.close()
    return model(torch.tensor([tokens])).logits[0].numpy(), given


def assert_same(expected: np.ndarray, given: np.ndarray, noise: int = 1) -> None:
    """The same distributions, and the same top token but for near ties."""
    assert kl_divergence(expected, given).mean() < noise * 2e-5
    assert np.abs(expected - given).max() < noise * 0.08
    best, other = expected.argmax(-1), given.argmax(-1)
    rows = np.arange(len(expected))
    assert (expected[rows, best] - expected[rows, other] <= NEAR_TIE).all()
    assert (best == other).mean() > 0.95


def noise(case: str) -> int:
    """Qwen 3.5 norms what its states give back, however small: rounding is amplified with it."""
    return 3 if case.startswith("qwen3.5") else 1
