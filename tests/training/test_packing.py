"""Every epoch learns every example once, in steps of equal size that fit the memory."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tooldrill.training.engine.packing import StepPlan, plan_steps
from tooldrill.training.engine.prefix_tree import build_tree

row = st.lists(st.integers(0, 2), min_size=1, max_size=9)
example = st.tuples(st.lists(row, min_size=1, max_size=3), st.sampled_from("abc"))
sets = st.lists(example, min_size=1, max_size=24)


def plan(made: list[tuple[list[list[int]], str]], **options: Any) -> StepPlan:
    chosen = {"batch_size": 4, "budget": 20, **options}
    return plan_steps([rows for rows, _ in made], [group for _, group in made], **chosen)


@given(made=sets, epochs=st.integers(1, 3), batch=st.integers(1, 6), budget=st.integers(1, 60))
@settings(max_examples=200)
def test_an_epoch_is_every_example_once_in_even_steps(
    made: Any, epochs: int, batch: int, budget: int
) -> None:
    found = plan(made, epochs=epochs, batch_size=batch, budget=budget)
    per_epoch = -(-len(made) // batch)
    assert found.steps == per_epoch * epochs
    assert len(found.packs) == found.steps * found.packs_per_step
    for step in steps_of(found):
        assert step == sorted(step, key=bool)  # empty packs come first
        assert step[-1]
    sizes = [found.step_size(p) for p in range(0, len(found.packs), found.packs_per_step)]
    assert max(sizes) <= batch
    assert max(sizes) - min(sizes) <= 1
    packs = per_epoch * found.packs_per_step
    for epoch in range(epochs):
        part = found.packs[epoch * packs : (epoch + 1) * packs]
        assert sorted(i for pack in part for i in pack) == list(range(len(made)))


@given(made=sets, budget=st.integers(1, 60))
@settings(max_examples=200)
def test_packs_fit_unless_a_single_example_does_not(made: Any, budget: int) -> None:
    found = plan(made, budget=budget, batch_size=6)
    room = max(budget, *(forest(made, [index]) for index in range(len(made))))
    assert all(forest(made, pack) <= room for pack in found.packs if pack)


@given(made=sets, budget=st.integers(1, 60))
def test_a_step_is_cut_no_further_than_it_must(made: Any, budget: int) -> None:
    made = [(rows[:1], group) for rows, group in made]
    for step in steps_of(plan(made, budget=budget, batch_size=6)):
        packs = [pack for pack in step if pack]
        for left, right in pairwise(packs):
            assert forest(made, left + right) > budget


@given(made=st.lists(example, min_size=6, max_size=24), processes=st.integers(2, 3))
def test_all_processes_have_as_many_packs_of_a_step(made: Any, processes: int) -> None:
    for step in steps_of(plan(made, batch_size=3, budget=12, processes=processes)):
        assert len(step) % processes == 0
        assert sum(map(bool, step)) % processes == 0
        assert step[-1]


def steps_of(found: StepPlan) -> list[list[list[int]]]:
    size = found.packs_per_step
    return [found.packs[first : first + size] for first in range(0, len(found.packs), size)]


def forest(made: Any, members: list[int]) -> int:
    return len(build_tree([row for index in members for row in made[index][0]]).tokens)


@given(made=sets)
def test_the_tokens_are_those_of_the_forests(made: Any) -> None:
    alone = [(rows[:1], group) for rows, group in made]
    found = plan(alone)
    forests = [build_tree([alone[i][0][0] for i in pack]) for pack in found.packs]
    assert found.tokens == sum(len(forest.tokens) for forest in forests)


def test_examples_of_a_group_meet_and_each_epoch_is_another_order() -> None:
    made = [([[n % 2] * 5 + [n]], "ab"[n % 2]) for n in range(12)]
    found = plan(made, batch_size=3, epochs=2, budget=1000)
    for pack in found.packs:
        assert len({made[index][1] for index in pack}) == 1
    assert found.packs[:4] != found.packs[4:]
    assert plan(made, batch_size=3, epochs=2, budget=1000) == found
    assert plan(made, batch_size=3, epochs=2, budget=1000, seed=1) != found


def test_processes_get_the_same_steps_cut_further() -> None:
    made = [([[n, 1, 2, 3]], "a") for n in range(16)]
    one = plan(made, batch_size=8, budget=1000)
    two = plan(made, batch_size=8, budget=1000, processes=2)
    assert (one.packs_per_step, two.packs_per_step) == (1, 2)
    for step in range(2):
        halves = two.packs[2 * step : 2 * step + 2]
        assert sorted(halves[0] + halves[1]) == sorted(one.packs[step])


def test_a_step_is_cut_between_groups_where_that_fits() -> None:
    made = [
        ([[group] * 20 + [n]], str(group)) for group, size in ((0, 5), (1, 3)) for n in range(size)
    ]
    found = plan(made, batch_size=8, budget=26)
    assert sorted(map(len, found.packs)) == [3, 5]
    assert found.tokens == 20 + 5 + 20 + 3


def test_processes_get_even_shares() -> None:
    made = [([[n] * 10], "a") for n in range(8)]
    found = plan(made, batch_size=8, budget=30, processes=2)
    assert Counter(len(pack) for pack in found.packs) == {2: 4}


def test_steps_are_made_of_whole_groups() -> None:
    sizes = [7, 9, 3, 13, 5, 11, 16]
    made = [([[g, n]], str(g)) for g, size in enumerate(sizes) for n in range(size)]
    found = plan(made, batch_size=16, budget=10**6)
    assert found.steps == 4
    groups = [{made[i][1] for i in pack} for pack in found.packs]
    assert sum(map(len, groups)) == len(sizes)
