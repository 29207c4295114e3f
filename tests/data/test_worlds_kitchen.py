"""The `kitchen` world: exact answers and errors, what counts as the same kitchen, and no crash."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from world_calls import assert_answers_all, calls_of, run_all

from tooldrill.agent.call import Call
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.catalog import get_world, world_names

STATE: dict[str, Any] = {
    "today": "2026-03-02",
    "recipes": {
        "Fig tart": {"serves": 4, "minutes": 30, "course": "dessert", "ingredients": [
            {"food": "figs", "amount": 6, "unit": "pieces"},
            {"food": "rye flour", "amount": 250, "unit": "g"}]},
        "Żur": {"serves": 2, "minutes": 90, "course": "main", "ingredients": [
            {"food": "rye flour", "amount": 100, "unit": "g"}]},
    },
    "pantry": [
        {"food": "rye flour", "amount": 300, "unit": "g", "best_before": ""},
        {"food": "rye flour", "amount": 100, "unit": "g", "best_before": "2026-03-01"},
    ],
    "shopping": [{"food": "milk", "amount": 500, "unit": "ml"}],
    "menu": [{"day": "2026-03-04", "mealtime": "dinner", "dish": "Żur", "eaters": 2}],
    "timers": {"eggs": {"minutes": 5, "keep_ringing": False}},
}  # fmt: skip


def call(tool: str, arguments: dict[str, Any]) -> tuple[str, Any, Any]:
    session = get_world("kitchen").open(STATE)
    before = session.snapshot()
    return session.call(tool, arguments).text, before, session.snapshot()


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        (
            "browse_cookbook",
            {"containing": "RYE"},
            "Fig tart (dessert, 30 min); Żur (main, 90 min)",
        ),
        ("browse_cookbook", {"ready_within": 30}, "Fig tart (dessert, 30 min)"),
        ("browse_cookbook", {"course": "starter"}, "no such dish"),
        ("dish_card", {"dish": "żur"}, "Żur for 2: 100 g rye flour; 90 min"),
        (
            "dish_card",
            {"dish": "Fig tart", "eaters": 6},
            "Fig tart for 6: 9 pieces figs, 375 g rye flour; 30 min",
        ),
        ("pantry_contents", {}, "100 g rye flour until 2026-03-01; 300 g rye flour"),
        ("pantry_contents", {"food": "figs"}, "nothing"),
        ("soon_spoiled", {"by_day": "2026-03-01"}, "100 g rye flour until 2026-03-01"),
        ("soon_spoiled", {"by_day": "2026-02-28"}, "nothing"),
        ("menu_from", {"starting": "2026-03-01"}, "2026-03-04 dinner: Żur for 2"),
        ("menu_from", {"starting": "2026-03-01", "days_shown": 3}, "nothing planned"),
    ],
)
def test_reading(tool: str, arguments: dict[str, Any], text: str) -> None:
    answer, before, after = call(tool, arguments)
    assert answer == text
    assert after == before


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        ("dish_card", {"dish": "Pie"}, "no dish Pie in the cookbook"),
        (
            "write_recipe",
            {"dish": "fig TART", "serves": 2, "cooking_minutes": 5, "ingredient_lines": ["1 g a"]},
            "the cookbook has fig TART already",
        ),
        (
            "write_recipe",
            {"dish": "A", "serves": 2, "cooking_minutes": 5, "ingredient_lines": ["some rice"]},
            "not like `200 g rice`: some rice",
        ),
        (
            "stock_pantry",
            {"food": "rye flour", "amount": 1, "unit": "l"},
            "rye flour is measured in g here, not in ml",
        ),
        (
            "stock_pantry",
            {"food": "figs", "amount": 0, "unit": "pieces"},
            "`amount` must be above 0 and not absurdly large",
        ),
        (
            "stock_pantry",
            {"food": "figs", "amount": 1, "unit": "g", "best_before": "soon"},
            "`best_before` must be a day as YYYY-MM-DD, not soon",
        ),
        (
            "take_from_pantry",
            {"food": "rye flour", "amount": 0.5, "unit": "kg"},
            "there are only 400 g rye flour",
        ),
        ("take_from_pantry", {"food": "figs", "amount": 1, "unit": "g"}, "no figs in the pantry"),
        ("discard_food", {"food": "figs"}, "no figs in the pantry"),
        (
            "need_to_buy",
            {"food": "Milk", "amount": 1, "unit": "kg"},
            "milk is measured in ml here, not in g",
        ),
        ("strike_off", {"food": "figs"}, "figs is not on the shopping list"),
        (
            "plan_dish",
            {"dish": "Fig tart", "meal_day": "2026-03-04"},
            "dinner on 2026-03-04 is Żur already",
        ),
        (
            "clear_meal",
            {"meal_day": "2026-03-04", "mealtime": "lunch"},
            "nothing is planned for lunch on 2026-03-04",
        ),
        ("start_timer", {"rings_for": "Eggs", "after_minutes": 3}, "a timer for Eggs runs"),
        (
            "start_timer",
            {"rings_for": "tea", "after_minutes": 0},
            "`after_minutes` must be between 1 and 1440",
        ),
        ("menu_from", {"starting": "9999-12-31"}, "a number is too large"),
    ],
)
def test_errors_change_nothing(tool: str, arguments: dict[str, Any], error: str) -> None:
    answer, before, after = call(tool, arguments)
    assert answer == f"ERROR: {error}"
    assert after == before


def after(*calls: tuple[str, dict[str, Any]]) -> Any:
    return run_all(get_world("kitchen"), STATE, *calls)


def buy(amount: float, unit: str, food: str = "figs") -> tuple[str, dict[str, Any]]:
    return "need_to_buy", {"food": food, "amount": amount, "unit": unit}


def test_an_amount_is_the_same_in_any_unit_and_in_any_number_of_steps() -> None:
    assert after(buy(1.5, "kg")) == after(buy(1500, "g"))
    assert after(buy(0.1, "l"), buy(0.2, "l")) == after(buy(300, "ml"))
    assert after(buy(1, "g")) != after(buy(1, "ml"))
    assert after(buy(1, "g"), buy(2, "g", "oats")) == after(buy(2, "g", "oats"), buy(1, "g"))


def test_the_oldest_is_used_first() -> None:
    left = after(("take_from_pantry", {"food": "rye flour", "amount": 150, "unit": "g"}))
    assert left["pantry"] == [{"food": "rye flour", "amount": 250, "unit": "g", "best_before": ""}]


def test_only_the_spoiled_is_thrown_away_if_so_wanted() -> None:
    kept = after(("discard_food", {"food": "rye flour", "spoiled_only": True}))
    assert [lot["amount"] for lot in kept["pantry"]] == [300]
    assert after(("discard_food", {"food": "rye flour"}))["pantry"] == []


def test_what_was_bought_moves_from_the_list_to_the_pantry() -> None:
    bought = after(("strike_off", {"food": "milk", "into_pantry": True}))
    assert bought["shopping"] == []
    assert bought == after(
        ("strike_off", {"food": "milk"}),
        ("stock_pantry", {"food": "milk", "amount": 0.5, "unit": "l"}),
    )


def test_a_recipe_written_down_can_be_read_and_scaled() -> None:
    session = get_world("kitchen").open(STATE)
    lines = ["0.5 l verjuice", "3 pieces leeks"]
    arguments = {"dish": "Soup", "serves": 3, "cooking_minutes": 20, "ingredient_lines": lines}
    assert not session.call("write_recipe", arguments).error
    card = session.call("dish_card", {"dish": "soup", "eaters": 6}).text
    assert card == "Soup for 6: 1000 ml verjuice, 6 pieces leeks; 20 min"


KNOWN = ["rye flour", "milk", "figs", "Fig tart", "żur", "2026-03-04", "3 pieces leeks", "eggs", 30]


@settings(max_examples=60, deadline=None)
@given(calls=calls_of(get_world("kitchen"), KNOWN))
def test_any_fitting_call_is_answered(calls: list[Call]) -> None:
    assert_answers_all(get_world("kitchen"), STATE, calls)


def test_it_is_held_out_and_no_parameter_set_of_it_is_a_training_tools() -> None:
    assert "kitchen" in world_names(Split.HELDOUT)
    own = {tool.parameter_names for tool in get_world("kitchen").registry}
    for name in world_names(Split.TRAIN):
        assert not own & {tool.parameter_names for tool in get_world(name).registry}, name
