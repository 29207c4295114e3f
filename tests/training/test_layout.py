"""Which calls a layout makes of rows: every row once, no more than fits, the cheapest padding."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tooldrill.training.engine.layout import Layout
from tooldrill.training.engine.packing import plan_steps

lengths_of_rows = st.lists(st.integers(1, 300), min_size=1, max_size=12)
layouts = st.builds(
    Layout,
    kind=st.sampled_from(["packed", "padded", "single"]),
    call_cost=st.integers(0, 99),
    most=st.none() | st.integers(1, 600),
)


@given(lengths=lengths_of_rows, layout=layouts)
def test_every_row_is_in_one_call_and_calls_hold_what_they_may(
    lengths: list[int], layout: Layout
) -> None:
    calls = layout.calls(lengths)
    assert sorted(place for call in calls for place in call) == list(range(len(lengths)))
    for call in calls:
        sizes = [lengths[place] for place in call]
        taken = sum(sizes) if layout.kind == "packed" else len(sizes) * max(sizes)
        assert len(call) == 1 or layout.most is None or taken <= layout.most
    if layout.kind == "packed":
        for left, right in pairwise(calls):
            assert layout.most is not None
            assert sum(lengths[place] for place in [*left, right[0]]) > layout.most


@given(lengths=lengths_of_rows, layout=layouts)
def test_what_is_computed_is_never_more_than_was_planned(
    lengths: list[int], layout: Layout
) -> None:
    made = [[0] * length for length in lengths]
    computed = layout.computed(made)
    bound = sum(layout.bound(length, max(lengths)) for length in lengths)
    assert sum(lengths) <= computed <= bound
    if layout.kind != "padded":
        assert computed == sum(lengths)


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_padding_is_the_cheapest(lengths: list[int]) -> None:
    layout = Layout("padded", call_cost=4)

    def cost(calls: list[list[int]]) -> int:
        return sum(4 + len(call) * max(call) for call in calls)

    def ways(left: list[int]) -> list[list[list[int]]]:
        if not left:
            return [[]]
        return [
            [left[:size], *rest] for size in range(1, len(left) + 1) for rest in ways(left[size:])
        ]

    found = [[lengths[place] for place in call] for call in layout.calls(lengths)]
    assert cost(found) == min(map(cost, ways(sorted(lengths))))


@given(
    made=st.lists(
        st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=9), min_size=1, max_size=3),
        min_size=1,
        max_size=16,
    ),
    kind=st.sampled_from(["packed", "padded", "single"]),
    budget=st.integers(1, 90),
    one_call=st.booleans(),
)
def test_packs_hold_all_of_their_rows(made: Any, kind: Any, budget: int, one_call: bool) -> None:
    layout = Layout(kind, call_cost=3, one_call=one_call)
    plan = plan_steps(made, ["a"] * len(made), batch_size=6, budget=budget, layout=layout)
    taken = [layout.computed([row for i in pack for row in made[i]]) for pack in plan.packs if pack]
    assert plan.tokens == sum(taken)
    for pack, tokens in zip(filter(None, plan.packs), taken, strict=True):
        assert len(pack) == 1 or tokens <= budget


def test_a_pack_of_a_model_that_shares_holds_more() -> None:
    made = [[[0] * 100 + [n]] for n in range(8)]
    shared, apart = (
        plan_steps(made, ["a"] * 8, batch_size=8, budget=410, layout=Layout(kind))
        for kind in ("forest", "packed")
    )
    assert (shared.packs_per_step, shared.tokens) == (1, 108)
    assert (apart.packs_per_step, apart.tokens) == (2, 808)
