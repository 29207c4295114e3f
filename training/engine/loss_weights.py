"""Weights per token in the loss of a model that TRL has given its fused head."""

from __future__ import annotations

import types
from typing import Any

import torch


def weigh_log_probs(model: Any) -> None:
    """Lets `model(..., fused_lm_head=True, loss_weights=...)` scale its log-probabilities.

    The weights have the labels' shape (B, L) and are shifted as they are. What TRL makes of the
    log-probabilities, their negative sum over a count, is then the weighted loss; its other figures
    (entropy, accuracy) stay unweighted.
    """
    patched = model.forward

    def forward(
        _model: Any, *args: Any, loss_weights: torch.Tensor | None = None, **kwargs: Any
    ) -> Any:
        output = patched(*args, **kwargs)
        if loss_weights is not None and getattr(output, "log_probs", None) is not None:
            output.log_probs = output.log_probs * loss_weights[:, 1:]
        return output

    model.forward = types.MethodType(forward, model)
