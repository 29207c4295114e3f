"""The head that scores learned positions alone fills what TRL's own head fills."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, set_seed
from trl.trainer.utils import add_fused_lm_head

from tooldrill.training.engine.learned_head import can_score_learned_only, score_learned_only

FIELDS = ("log_probs", "entropy", "mean_logits", "is_top1")


SCALINGS: list[dict[str, Any]] = [
    {},
    {"final_logit_softcapping": 0.3},
    {"logits_scaling": 4.0},
    {"logit_scale": 0.25, "final_logit_softcapping": 0.2},
    {"lm_head_multiplier": 3.0},
]


def outputs(scaling: dict[str, Any], *, learned_only: bool) -> tuple[Any, torch.Tensor]:
    set_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=101, hidden_size=16, intermediate_size=32, num_hidden_layers=2,
            num_attention_heads=2, num_key_value_heads=1, initializer_range=0.3, **scaling,
        )
    )  # fmt: skip
    add_fused_lm_head(model, outputs=FIELDS)
    if learned_only:
        assert can_score_learned_only(model)
        score_learned_only(model)
    ids = torch.arange(36).reshape(3, 12) % 101
    labels = ids.masked_fill(torch.rand(ids.shape) < 0.6, -100)
    output = model(input_ids=ids, labels=labels, fused_lm_head=True, num_items_in_batch=7)
    output.loss.backward()
    return output, model.model.layers[0].mlp.up_proj.weight.grad


@pytest.mark.parametrize("scaling", SCALINGS)
def test_figures_and_gradients_are_trls(scaling: dict[str, Any]) -> None:
    plain, plain_gradient = outputs(scaling, learned_only=False)
    ours, our_gradient = outputs(scaling, learned_only=True)
    assert plain.label_mask.sum() > 5
    for name in ("loss", "label_mask", *FIELDS):
        torch.testing.assert_close(ours[name].float(), plain[name].float(), rtol=1e-5, atol=1e-6)
    assert (our_gradient - plain_gradient).norm() / plain_gradient.norm() < 1e-5


def test_a_routers_loss_is_left_to_trl() -> None:
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    )
    assert can_score_learned_only(model)
    model.config.output_router_logits = True
    assert not can_score_learned_only(model)
