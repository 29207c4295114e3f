"""Shared prefixes computed once give what the plain computation gives, to the last gradient."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, set_seed

from tooldrill.training.prefix_tree import build_tree
from tooldrill.training.shared_forward import can_share, share_prefixes

rows_of_tokens = st.lists(
    st.lists(st.integers(0, 3), min_size=1, max_size=8), min_size=1, max_size=8
)


@given(rows=rows_of_tokens)
@settings(max_examples=300)
def test_a_token_sees_exactly_the_tokens_before_it_in_its_row(rows: list[list[int]]) -> None:
    tree = build_tree(rows)
    for row, places in zip(rows, tree.places, strict=True):
        assert tree.tokens[places].tolist() == row
        assert tree.positions[places].tolist() == list(range(len(row)))
        for depth, place in enumerate(places.tolist()):
            seen = tree.visible[place].nonzero().flatten().tolist()
            assert sorted(seen) == sorted(places[: depth + 1].tolist())


@given(rows=rows_of_tokens)
def test_every_distinct_prefix_is_held_once(rows: list[list[int]]) -> None:
    prefixes = {tuple(row[: i + 1]) for row in rows for i in range(len(row))}
    assert len(build_tree(rows).tokens) == len(prefixes)


def tiny(attention: str = "sdpa") -> Any:
    set_seed(1)
    config = LlamaConfig(
        vocab_size=97,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        attn_implementation=attention,
    )
    model = LlamaForCausalLM(config)
    lora = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    return model, lora


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Six padded rows with a common trunk, twins, a nested row, and labels on their tails."""
    rng = random.Random(0)
    trunk = [rng.randrange(97) for _ in range(20)]
    rows = [trunk + [rng.randrange(97) for _ in range(n)] for n in (5, 9, 3)]
    rows += [rows[0], rows[1][:24], [rng.randrange(97) for _ in range(11)]]
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    labels = ids.masked_fill(mask == 0, -100)
    labels[:, :10] = -100
    return ids, mask, labels


def gradients(attention: str, *, shared: bool) -> tuple[float, dict[str, torch.Tensor], int]:
    model, lora = tiny(attention)
    seen: list[int] = []
    model.model.embed_tokens.register_forward_pre_hook(
        lambda _m, args: seen.append(args[0].numel())
    )
    if shared:
        share_prefixes(model)
    wrapped = get_peft_model(model, lora)
    ids, mask, labels = batch()
    loss = wrapped(input_ids=ids, attention_mask=mask, labels=labels).loss
    loss.backward()
    found = {n: p.grad for n, p in wrapped.named_parameters() if p.grad is not None}
    return loss.item(), found, seen[-1]


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_loss_and_lora_gradients_equal_the_plain_ones(attention: str) -> None:
    plain_loss, plain, plain_tokens = gradients(attention, shared=False)
    shared_loss, shared, shared_tokens = gradients(attention, shared=True)
    assert shared_loss == pytest.approx(plain_loss, rel=1e-5)
    assert plain.keys() == shared.keys()
    assert len(plain) == 2 * 7 * 3
    for name, gradient in plain.items():
        error = (gradient - shared[name]).norm() / gradient.norm()
        assert error < 1e-4, name
    assert shared_tokens == 20 + 5 + 9 + 3 + 11 < plain_tokens


def test_a_tree_is_not_used_where_one_mask_cannot_say_everything() -> None:
    assert can_share(LlamaConfig())
    assert not can_share(type("C", (), {"layer_types": ["full_attention", "sliding_attention"]})())
    assert not can_share(type("C", (), {"mamba_d_state": 16})())
