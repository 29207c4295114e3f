"""Logits only where there is a loss.

TRL's fused head scores every position of the batch where Triton is missing, prompts included. With
a vocabulary of 49,152 that costs more than the rest of a small model. This head takes the hidden
states of the learned positions alone, multiplies them once, and fills the same output.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import torch
from trl.trainer.utils import FusedCausalLMOutput


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

        def logits_of(states: torch.Tensor) -> torch.Tensor:
            # Outside autocast: these log-probabilities are compared to a few hundredths.
            with torch.autocast(states.device.type, enabled=False):
                logits = head(states.to(head.weight.dtype)).float() * scale
            capped: torch.Tensor = cap * torch.tanh(logits / cap) if cap else logits
            return capped

        return _score(hidden[:, :-1], labels[:, 1:], logits_of, items)

    model.forward = types.MethodType(forward, model)


def _score(
    hidden: torch.Tensor,
    labels: torch.Tensor,
    logits_of: Callable[[torch.Tensor], torch.Tensor],
    items: torch.Tensor | int | None,
) -> FusedCausalLMOutput:
    """Hidden states (B, L, H) and shifted labels (B, L) to the per-token figures, shape (B, L)."""
    mask = labels != -100
    targets = labels[mask]
    logits = logits_of(hidden[mask])
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
