"""Logits only where there is a loss.

TRL's fused head scores every position of the batch where Triton is missing, prompts included. With
a vocabulary of 49,152 that costs more than the rest of a small model. This head takes the hidden
states of the learned positions alone (`head_scores`) and fills the same output.
"""

from __future__ import annotations

import types
from typing import Any

import torch
from trl.trainer.utils import FusedCausalLMOutput

from tooldrill.training.engine.head_scores import Head, Scores, score


def can_score_learned_only(model: Any) -> bool:
    """Whether TRL has no kernel for this device, and no router's loss is wanted."""
    config = model.config.get_text_config()
    return _is_cpu(model) and not getattr(config, "output_router_logits", False)


def _scale(config: Any) -> float:
    """What some families multiply their logits by (names as in their configs)."""
    for name in ("logit_scale", "output_multiplier", "lm_head_multiplier"):
        if getattr(config, name, None) is not None:
            return float(getattr(config, name))
    scaling = getattr(config, "logits_scaling", None)
    if scaling is None:
        return 1.0
    return float(scaling if config.model_type == "hyperclovax" else 1 / scaling)


def score_learned_only(model: Any) -> None:
    """Puts the head under a model that a TRL trainer has already patched."""
    patched = model.forward
    config = model.config.get_text_config()
    scale, cap = _scale(config), getattr(config, "final_logit_softcapping", None)

    def forward(
        self: Any,
        *args: Any,
        fused_lm_head: bool = False,
        labels: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        if not fused_lm_head or labels is None:
            return patched(*args, fused_lm_head=fused_lm_head, labels=labels, **kwargs)
        items = kwargs.pop("num_items_in_batch", None)
        hidden = self.base_model(*args, **{**kwargs, "use_cache": False}).last_hidden_state
        head = self.get_output_embeddings()
        mask = labels[:, 1:] != -100
        targets = labels[:, 1:][mask]
        scores = score(Head(head, scale, cap), hidden[:, :-1][mask], targets)
        return _output(scores, mask, items)

    model.forward = types.MethodType(forward, model)


def _output(
    scores: Scores, mask: torch.Tensor, items: torch.Tensor | int | None
) -> FusedCausalLMOutput:
    """Figures of the learned tokens to per-token figures of the shape of `mask`, (B, L)."""

    def spread(values: torch.Tensor) -> torch.Tensor:
        return values.new_zeros(mask.shape).masked_scatter(mask, values)

    count = mask.sum().clamp(min=1) if items is None else items
    return FusedCausalLMOutput(
        loss=-scores.log_probs.sum() / count,
        label_mask=mask,
        **{name: spread(values) for name, values in scores._asdict().items()},
    )


def _is_cpu(model: Any) -> bool:
    return bool(next(model.parameters()).device.type == "cpu")
