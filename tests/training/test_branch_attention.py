"""Every pair that is seen is visited once, none that is not, and the softmax is one over all."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tooldrill.training.engine import branch_attention, tree_attention
from tooldrill.training.engine.branch_attention import BranchAttention, plan_visits
from tooldrill.training.engine.prefix_tree import PrefixTree, build_tree

rows_of_tokens = st.lists(
    st.lists(st.integers(0, 2), min_size=1, max_size=14), min_size=1, max_size=8
)
windows = st.sampled_from([None, 1, 2, 5, 100])


@pytest.fixture(autouse=True)
def short_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch_attention, "_LEAF", 3)


def seen_pairs(tree: PrefixTree, window: int | None) -> torch.Tensor:
    near = tree.positions[:, None] - tree.positions[None] < (window or 10**6)
    return tree.visible & near


@given(rows=rows_of_tokens, window=windows)
@settings(max_examples=300)
def test_every_seen_pair_is_visited_once(rows: list[list[int]], window: int | None) -> None:
    tree = build_tree(rows)
    size = len(tree.tokens)
    visited = torch.zeros(size, size, dtype=torch.long)
    for visit in plan_visits(tree.ends, tree.positions, window, torch.float32):
        block = visited[slice(*visit.queries), slice(*visit.keys)]
        pairs = torch.ones_like(block)
        if visit.mask is not None:
            pairs = (visit.mask == 0).long()
            blind = torch.zeros(len(block), dtype=torch.bool)
            blind = blind if visit.blind is None else visit.blind
            assert torch.equal(pairs.sum(1) == 0, blind)
        block += pairs.tril() if visit.causal else pairs
    assert torch.equal(visited, seen_pairs(tree, window).long())


@given(rows=rows_of_tokens, window=windows, seed=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_outputs_and_gradients_are_those_of_one_mask(
    rows: list[list[int]], window: int | None, seed: int
) -> None:
    tree = build_tree(rows)
    size = len(tree.tokens)
    torch.manual_seed(seed)
    qkv = [torch.randn(1, heads, size, 8, requires_grad=True) for heads in (6, 2, 2)]
    visits = plan_visits(tree.ends, tree.positions, window, torch.float32)
    found = BranchAttention.apply(*qkv, visits, 0.4)  # type: ignore[no-untyped-call]
    query, key, value = qkv
    wanted = torch.nn.functional.scaled_dot_product_attention(
        query,
        key.repeat_interleave(3, 1),
        value.repeat_interleave(3, 1),
        attn_mask=seen_pairs(tree, window)[None, None],
        scale=0.4,
    )
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    weights = torch.randn_like(wanted)
    pairs = zip(
        torch.autograd.grad(found, qkv, weights),
        torch.autograd.grad(wanted, qkv, weights),
        strict=True,
    )
    for one, other in pairs:
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_dropout_is_left_to_the_dense_mask() -> None:
    tree = build_tree([[1, 2, 3, 4], [1, 2, 5]])
    qkv = tuple(torch.randn(1, 2, len(tree.ends), 8) for _ in range(3))
    outputs = []
    for kernel in (tree_attention._dense, tree_attention._by_branch):
        torch.manual_seed(3)
        settings = {"scale": 0.4, "dropout_p": 0.5}
        outputs.append(kernel(qkv, tree_attention.as_mask(tree.ends), None, settings))
    assert torch.equal(*outputs)


def test_sixteen_bits_are_summed_in_thirty_two() -> None:
    """The error against float32 is that of one attention in bfloat16, though it takes many."""
    rows = [[n % 7 for n in range(60)], [n % 7 for n in range(40)] + [9] * 20, [8] * 30]
    tree = build_tree(rows)
    torch.manual_seed(0)
    qkv = [torch.randn(1, heads, len(tree.ends), 8).bfloat16() for heads in (4, 2, 2)]
    exact = [part.float().requires_grad_() for part in qkv]
    rounded = [part.requires_grad_() for part in qkv]
    forest = tree_attention.as_mask(tree.ends)
    settings = {"scale": 0.4, "dropout_p": 0.0}
    outcomes = []
    for parts, kernel in (
        (exact, tree_attention._by_branch),
        (rounded, tree_attention._by_branch),
        ([part.detach().requires_grad_() for part in qkv], tree_attention._dense),
    ):
        out = kernel(tuple(parts), forest, None, settings)  # type: ignore[arg-type]
        outcomes.append([out, *torch.autograd.grad(out.float().pow(2).sum(), parts)])
    for wanted, found, dense in zip(*outcomes, strict=True):
        assert found.dtype == torch.bfloat16
        error = (found.float() - wanted).norm()
        assert error < 1.5 * (dense.float() - wanted).norm()


def test_autocast_gives_one_type() -> None:
    tree = build_tree([[1, 2, 3, 4], [1, 2, 5]])
    query, key = (torch.randn(1, 2, len(tree.ends), 8) for _ in range(2))
    value = torch.randn(1, 2, len(tree.ends), 8).bfloat16()
    forest, settings = tree_attention.as_mask(tree.ends), {"scale": 0.4, "dropout_p": 0.0}
    with torch.autocast("cpu"):
        out = tree_attention._by_branch((query, key, value), forest, None, settings)
    assert out.dtype == torch.bfloat16
