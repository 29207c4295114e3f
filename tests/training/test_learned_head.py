"""The head that scores learned positions alone fills what TRL's own head fills."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, set_seed
from trl.trainer.utils import add_fused_lm_head

from tooldrill.training.engine.learned_head import can_score_learned_only, score_learned_only

FIELDS = ("log_probs", "entropy", "mean_logits", "is_top1")


def outputs(*, learned_only: bool) -> tuple[Any, torch.Tensor]:
    set_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=101, hidden_size=16, intermediate_size=32, num_hidden_layers=2,
            num_attention_heads=2, num_key_value_heads=1,
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


def test_figures_and_gradients_are_trls() -> None:
    plain, plain_gradient = outputs(learned_only=False)
    ours, our_gradient = outputs(learned_only=True)
    assert plain.label_mask.sum() > 5
    for name in ("loss", "label_mask", *FIELDS):
        torch.testing.assert_close(ours[name].float(), plain[name].float(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(our_gradient, plain_gradient, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("scaling", ["final_logit_softcapping", "logits_scaling"])
def test_scaled_logits_are_left_to_trl(scaling: str) -> None:
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    )
    assert can_score_learned_only(model)
    setattr(model.config, scaling, 2.0)
    assert not can_score_learned_only(model)
