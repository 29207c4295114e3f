"""Trying on a model itself whether another way of computing rows leaves its numbers as they are."""

from __future__ import annotations

from textwrap import shorten
from typing import Any

import torch

from tooldrill.training.engine.layout import Layout
from tooldrill.training.engine.line_forward import by_lines

# Relative difference of a token's hidden state; rounding alone stays a hundred times below.
TOLERANCE = 1e-3
# Between a row alone and beside others, where what leaks can be little: a short convolution's.
STRICT = 1e-4
# bfloat16 keeps three digits, so the same sums in another order differ in the third.
_HALF = 30 * TOLERANCE


def alone(backbone: Any) -> torch.Tensor:
    """The hidden states (T, H) of the trial's rows, each computed on its own."""
    return states_of(backbone, by_lines(backbone.forward, Layout("single")))


def states_of(backbone: Any, forward: Any) -> torch.Tensor:
    """The hidden states (T, H) of the trial's rows by another forward of the backbone.

    Args:
        forward: takes `input_ids` and `attention_mask`.
    """
    ids, mask = _batch(backbone)
    training = backbone.training
    backbone.eval()
    try:
        with torch.no_grad():
            states = forward(input_ids=ids, attention_mask=mask).last_hidden_state
    finally:
        backbone.train(training)
    found: torch.Tensor = states[mask.bool()].float()
    return found


def difference(
    backbone: Any, wanted: torch.Tensor, found: torch.Tensor, tolerance: float = TOLERANCE
) -> str | None:
    """Why hidden states (T, H) are not those wanted; None where they are.

    Args:
        tolerance: in float32.
    """
    error = float(((found - wanted).norm(dim=-1) / wanted.norm(dim=-1)).max())
    allowed = tolerance if backbone.dtype == torch.float32 else _HALF
    return None if error < allowed else f"hidden states would differ by {max(error, 1e-4):.2%}"


def told(error: Exception) -> str:
    """An error as a reason: whatever a foreign architecture raises means that it cannot."""
    return shorten(f"{type(error).__name__}: {error}", 120, placeholder="...")


def _batch(backbone: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask (3, L): two rows with a long trunk, one with a part of it; past the window."""
    config = backbone.config.get_text_config()
    window = getattr(config, "sliding_window", None) or 0
    length = 24 if window > 1024 else window + 24
    device = next(backbone.parameters()).device
    step = max(1, config.vocab_size // 97)
    trunk = [(7 * i + 3) * step % config.vocab_size for i in range(length)]
    rows = [
        trunk + [5 * step % config.vocab_size] * 6,
        [*trunk, 11 * step % config.vocab_size, *trunk[:7]],
        trunk[: length // 2] + trunk[:9],
    ]
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=device)
    return ids, mask
