"""Shared prefixes computed once give what the plain computation gives, to the last gradient."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, set_seed

from tooldrill.training.engine.prefix_tree import build_tree
from tooldrill.training.engine.shared_forward import share_prefixes

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


def tiny(family: str = "llama") -> Any:
    """A random model with grouped queries, tied embeddings and, in some layers, a window of 6."""
    set_seed(1)
    shape = {
        "vocab_size": 97,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "tie_word_embeddings": True,
    }
    layers = ["sliding_attention", "full_attention", "sliding_attention"]
    windows = {"sliding_window": 6, "layer_types": layers}
    granite = {"num_local_experts": 0, "shared_intermediate_size": 48, "mamba_n_heads": 8}
    extra = {
        "llama": {},
        "mistral": {"sliding_window": 6},
        "qwen3": {"use_sliding_window": True, "max_window_layers": 0, **windows},
        "gemma3_text": windows,
        "granitemoehybrid": {"layer_types": ["attention"] * 3, **granite},
    }[family]
    return AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **shape, **extra))


FAMILIES = ["llama", "mistral", "qwen3", "gemma3_text", "granitemoehybrid"]


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


def gradients(family: str, kernel: Any) -> tuple[float, dict[str, torch.Tensor], int]:
    model = tiny(family)
    seen: list[int] = []
    model.model.embed_tokens.register_forward_pre_hook(
        lambda _m, args: seen.append(args[0].numel())
    )
    if kernel:
        assert share_prefixes(model, kernel) is None
    lora = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    wrapped = get_peft_model(model, lora)
    ids, mask, labels = batch()
    loss = wrapped(input_ids=ids, attention_mask=mask, labels=labels).loss
    loss.backward()
    found = {n: p.grad for n, p in wrapped.named_parameters() if p.grad is not None}
    return loss.item(), found, seen[-1]


@pytest.mark.parametrize("kernel", ["branches", "dense"])
@pytest.mark.parametrize("family", FAMILIES)
def test_loss_and_lora_gradients_equal_the_plain_ones(family: str, kernel: str) -> None:
    plain_loss, plain, plain_tokens = gradients(family, None)
    shared_loss, shared, shared_tokens = gradients(family, kernel)
    assert shared_loss == pytest.approx(plain_loss, rel=1e-5)
    assert plain.keys() == shared.keys()
    assert len(plain) > 2 * 4 * 3
    for name, gradient in plain.items():
        error = (gradient - shared[name]).norm() / gradient.norm()
        assert error < 1e-4, name
    assert shared_tokens == 20 + 5 + 9 + 3 + 11 < plain_tokens


@pytest.mark.parametrize("family", ["lfm2", "mamba", "qwen3_5_text", "gemma2"])
def test_models_that_a_forest_would_change_are_left_as_they_are(family: str) -> None:
    set_seed(1)
    shape = {"vocab_size": 97, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
    layers = {"layer_types": ["conv", "full_attention"] * 2} if family == "lfm2" else {}
    config = AutoConfig.for_model(family, **shape, **heads, **layers)
    model = AutoModelForCausalLM.from_config(config)
    forward, attention = model.base_model.forward, model.config._attn_implementation
    assert share_prefixes(model)
    assert model.base_model.forward == forward
    assert model.config._attn_implementation == attention
