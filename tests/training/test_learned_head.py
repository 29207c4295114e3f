"""The head that scores learned positions alone fills what TRL's own head fills."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, set_seed
from trl.trainer.utils import add_fused_lm_head

from tooldrill.training.engine import head_scores
from tooldrill.training.engine.learned_head import can_score_learned_only, score_learned_only

FIELDS = ("log_probs", "entropy", "mean_logits", "is_top1")


SCALINGS: list[dict[str, Any]] = [
    {},
    {"final_logit_softcapping": 0.3},
    {"logits_scaling": 4.0},
    {"logit_scale": 0.25, "final_logit_softcapping": 0.2},
    {"lm_head_multiplier": 3.0},
]


def outputs(
    scaling: dict[str, Any], *, learned_only: bool, frozen: bool = False
) -> tuple[Any, torch.Tensor]:
    set_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=101, hidden_size=16, intermediate_size=32, num_hidden_layers=2,
            num_attention_heads=2, num_key_value_heads=1, initializer_range=0.3, **scaling,
        )
    )  # fmt: skip
    model.lm_head.requires_grad_(not frozen)
    add_fused_lm_head(model, outputs=FIELDS)
    if learned_only:
        assert can_score_learned_only(model)
        score_learned_only(model)
    ids = torch.arange(60).reshape(3, 20) % 101
    labels = ids.masked_fill(torch.rand(ids.shape) < 0.6, -100)
    output = model(input_ids=ids, labels=labels, fused_lm_head=True, num_items_in_batch=7)
    output.loss.backward()
    return output, model.model.layers[0].mlp.up_proj.weight.grad


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("scaling", SCALINGS)
def test_figures_and_gradients_are_trls(
    scaling: dict[str, Any], frozen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_scores, "_CHUNK", 1)  # so that the rows are more than one chunk
    plain, plain_gradient = outputs(scaling, learned_only=False)
    ours, our_gradient = outputs(scaling, learned_only=True, frozen=frozen)
    assert plain.label_mask.sum() > 16  # of which a chunk has 16
    for name in ("loss", "label_mask", *FIELDS):
        torch.testing.assert_close(ours[name].float(), plain[name].float(), rtol=1e-5, atol=1e-5)
    assert (our_gradient - plain_gradient).norm() / plain_gradient.norm() < 1e-5


def test_no_logits_are_kept_for_a_frozen_head() -> None:
    layer = torch.nn.Linear(8, 5000, bias=False).requires_grad_(False)
    states = torch.randn(40, 8, requires_grad=True)
    kept: list[int] = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor.untyped_storage().nbytes())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        scores = head_scores.score(
            head_scores.Head(layer, 1.0, None), states, torch.arange(40) * 100
        )
    assert sum(kept) <= 40 * 8 * 4
    assert [figure.requires_grad for figure in scores] == [True, False, False, False]


def test_autocast_rounds_neither_scores_nor_slopes() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(16, 50, bias=False).requires_grad_(False)
    head, targets = head_scores.Head(layer, 1.0, None), torch.arange(40)
    found = []
    for enabled in (False, True):
        states = torch.linspace(-2, 2, 640).sin().view(40, 16).requires_grad_()
        with torch.autocast("cpu", enabled=enabled):
            scores = head_scores.score(head, states, targets)
        scores.log_probs.sum().backward()  # type: ignore[no-untyped-call]
        found.append((scores.log_probs, states.grad))
    for plain, rounded in zip(*found, strict=True):
        torch.testing.assert_close(rounded, plain, rtol=1e-6, atol=1e-6)


def test_no_learned_token_is_no_score() -> None:
    layer = torch.nn.Linear(8, 50, bias=False).requires_grad_(False)
    states = torch.randn(0, 8, requires_grad=True)
    none = torch.zeros(0, dtype=torch.long)
    scores = head_scores.score(head_scores.Head(layer, 1.0, None), states, none)
    scores.log_probs.sum().backward()  # type: ignore[no-untyped-call]
    assert [figure.shape for figure in scores] == [(0,)] * 4
    assert scores.is_top1.dtype == torch.bool


def test_a_routers_loss_is_left_to_trl() -> None:
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    )
    assert can_score_learned_only(model)
    model.config.output_router_logits = True
    assert not can_score_learned_only(model)
