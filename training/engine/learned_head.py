"""Logits only where there is a loss.

TRL's fused head scores every position of the batch where Triton is missing, prompts included. With
a vocabulary of 49,152 that costs more than the rest of a small model. This head takes the hidden
states of the learned positions alone, multiplies them once, and fills the same output.
"""

from __future__ import annotations

import types
from typing import Any

import torch
from trl.trainer.utils import FusedCausalLMOutput

# What some families do to their logits; TRL's own head knows how.
_SCALINGS = (
    "final_logit_softcapping",
    "logit_scale",
    "output_multiplier",
    "lm_head_multiplier",
    "logits_scaling",
)


def can_score_learned_only(model: Any) -> bool:
    """Whether the logits are the head's plain product, and TRL has no kernel for this device."""
    config = model.config.get_text_config()
    scaled = any(getattr(config, name, None) is not None for name in _SCALINGS)
    return not scaled and not hasattr(config, "output_router_logits") and _is_cpu(model)


def score_learned_only(model: Any) -> None:
    """Puts the head under a model that a TRL trainer has already patched."""
    patched = model.forward

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
        return _score(hidden[:, :-1], labels[:, 1:], self.get_output_embeddings(), items)

    model.forward = types.MethodType(forward, model)


def _score(
    hidden: torch.Tensor, labels: torch.Tensor, head: Any, items: torch.Tensor | int | None
) -> FusedCausalLMOutput:
    """Hidden states (B, L, H) and shifted labels (B, L) to the per-token figures, shape (B, L)."""
    mask = labels != -100
    targets = labels[mask]
    # Outside autocast: these log-probabilities are compared with each other to a few hundredths.
    with torch.autocast(hidden.device.type, enabled=False):
        logits = head(hidden[mask].to(head.weight.dtype)).float()
    log_probs = torch.log_softmax(logits, dim=-1)
    learned = log_probs.gather(1, targets[:, None])[:, 0]

    def spread(values: torch.Tensor) -> torch.Tensor:
        return values.new_zeros(mask.shape).masked_scatter(mask, values)

    with torch.no_grad():
        entropy = -(log_probs.exp() * log_probs).sum(-1)
        mean_logits = logits.mean(-1)
        is_top1 = logits.argmax(-1) == targets
    count = mask.sum().clamp(min=1) if items is None else items
    return FusedCausalLMOutput(
        loss=-learned.sum() / count,
        log_probs=spread(learned),
        entropy=spread(entropy),
        mean_logits=spread(mean_logits),
        is_top1=spread(is_top1),
        label_mask=mask,
    )


def _is_cpu(model: Any) -> bool:
    return bool(next(model.parameters()).device.type == "cpu")
