"""The ways of attending over a forest: the same numbers and gradients, nothing seen left out."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.nn.attention import flex_attention
from transformers import MistralConfig, MistralForCausalLM

from tooldrill.training.engine import tree_attention
from tooldrill.training.engine.prefix_tree import PrefixTree, build_tree
from tooldrill.training.engine.shared_forward import share_prefixes

WINDOWS = [None, 7, 48, 200]


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """FlexAttention as plain operations.

    Compiled, it has no backward pass on a CPU, and torch refuses the plain one there, too, though
    its operations have gradients: that check is what is taken out.
    """
    monkeypatch.setattr(flex_attention, "_validate_device", lambda *_: None)
    kernel = flex_attention.flex_attention
    monkeypatch.setattr(tree_attention, "_flex_kernel", lambda: kernel)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="flex_attention called without torch.compile")
        yield


def forest(seed: int, size: int) -> PrefixTree:
    """Rows that grow from one another's middles."""
    rng = random.Random(seed)
    rows = [[rng.randrange(50) for _ in range(size)]]
    for _ in range(6):
        start = rng.choice(rows)
        rows.append(
            start[: rng.randrange(len(start))] + [rng.randrange(50) for _ in range(size // 3)]
        )
    return build_tree(rows)


@pytest.mark.parametrize("seed", range(5))
def test_depths_are_positions(seed: int) -> None:
    tree = forest(seed, 40)
    assert torch.equal(tree_attention._depths(tree.ends), tree.positions)


@pytest.mark.parametrize("window", WINDOWS)
def test_kernels_agree(window: int | None, uncompiled: None) -> None:
    tree = forest(1, 150)

    def run(kernel: Any) -> list[torch.Tensor]:
        rng = torch.Generator().manual_seed(1)
        size = len(tree.ends)
        qkv = [torch.randn(1, heads, size, 8, generator=rng) for heads in (4, 2, 2)]
        for tensor in qkv:
            tensor.requires_grad_()
        settings = {"scale": 0.4, "dropout_p": 0.0}
        out = kernel(tuple(qkv), tree_attention.as_mask(tree.ends), window, settings)
        (out * torch.randn(out.shape, generator=rng)).sum().backward()
        return [out.detach(), *(tensor.grad for tensor in qkv)]  # type: ignore[misc]

    wanted = run(tree_attention._by_branch)
    for kernel in (tree_attention._dense, tree_attention._flex):
        for found, expected in zip(run(kernel), wanted, strict=True):
            assert (found - expected).norm() / expected.norm() < 1e-5


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("window", WINDOWS)
def test_blocks_are_skipped_only_where_nobody_looks(window: int | None, seed: int) -> None:
    ends = forest(seed, 500).ends
    size = len(ends)
    mask = tree_attention._block_mask(ends, window)
    blocks = -(-size // 128)
    seen = torch.zeros(blocks * 128, blocks * 128, dtype=torch.bool)
    seen[:size, :size] = tree_attention._dense_mask(ends, window)[0, 0]
    squares = seen.view(blocks, 128, blocks, 128)
    some, whole = squares.any(3).any(1), squares.all(3).all(1)

    full = listed(mask.full_kv_num_blocks, mask.full_kv_indices)
    mixed = listed(mask.kv_num_blocks, mask.kv_indices)
    assert not (full & mixed).any()
    assert not (full & ~whole).any()
    assert not (some & ~(full | mixed)).any()
    if window is None:
        assert torch.equal(full, whole)
        assert torch.equal(full | mixed, some)
    else:  # blocks far below their own trunk are left out, too
        unlimited = tree_attention._block_mask(ends, None)
        both = listed(unlimited.full_kv_num_blocks, unlimited.full_kv_indices) | listed(
            unlimited.kv_num_blocks, unlimited.kv_indices
        )
        assert (full | mixed).sum() < both.sum()


def listed(number: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    found = torch.zeros(indices.shape[-2:], dtype=torch.bool)
    for row, (count, columns) in enumerate(zip(number[0, 0], indices[0, 0], strict=True)):
        found[row, columns[:count].long()] = True
    return found


def test_a_model_learns_the_same_with_each(uncompiled: None) -> None:
    config = MistralConfig(
        vocab_size=60, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, sliding_window=20, initializer_range=0.15,
    )  # fmt: skip
    rng = random.Random(0)
    trunk = [rng.randrange(60) for _ in range(50)]
    rows = torch.tensor([trunk + [rng.randrange(60) for _ in range(30)] for _ in range(3)])

    def run(kernel: tree_attention.Kernel | None) -> list[torch.Tensor]:
        torch.manual_seed(0)
        model = MistralForCausalLM(config)
        if kernel is not None:
            assert share_prefixes(model, kernel) is None
        loss = model(input_ids=rows, attention_mask=torch.ones_like(rows), labels=rows).loss
        loss.backward()
        return [loss.detach(), *(p.grad for p in model.parameters())]

    wanted = run(None)
    for kernel in ("branches", "dense", "flex"):
        for found, expected in zip(run(kernel), wanted, strict=True):
            assert (found - expected).norm() / expected.norm() < 1e-4


def test_flex_leaves_dropout_to_the_dense_mask() -> None:
    tree = forest(2, 30)
    qkv = tuple(torch.randn(1, 2, len(tree.ends), 8) for _ in range(3))
    settings = {"scale": 0.4, "dropout_p": 0.5}
    outputs = []
    for kernel in (tree_attention._dense, tree_attention._flex):
        torch.manual_seed(3)
        outputs.append(kernel(qkv, tree_attention.as_mask(tree.ends), None, settings))
    assert torch.equal(*outputs)
