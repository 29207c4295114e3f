"""The `kitchen` world (held out): recipes, the pantry, a shopping list, a menu and timers.

The tools a model is offered. What they work on is in `kitchen_store`, how a kitchen is drawn in
`kitchen_larder`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Literal

from tooldrill.agent.environment import ToolError
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.kitchen import chains, lookups, restraint, tasks
from tooldrill.data.worlds.kitchen.store import KitchenStore, Unit, quantity, read_day

Mealtime = Literal["breakfast", "lunch", "dinner"]


class KitchenSession(KitchenStore):
    """One kitchen."""

    tool_names: ClassVar[tuple[str, ...]] = (
        "browse_cookbook",
        "dish_card",
        "write_recipe",
        "pantry_contents",
        "stock_pantry",
        "take_from_pantry",
        "soon_spoiled",
        "discard_food",
        "need_to_buy",
        "strike_off",
        "plan_dish",
        "menu_from",
        "clear_meal",
        "start_timer",
    )

    def browse_cookbook(
        self,
        containing: str = "",
        course: Literal["any", "starter", "main", "dessert"] = "any",
        ready_within: int = 0,
    ) -> str:
        """List dishes of the cookbook.

        Args:
            containing: A food that must be among the ingredients.
            course: Which part of a meal.
            ready_within: Most minutes of work; 0 for no limit.
        """
        wanted = containing.strip().casefold()
        found = [
            f"{name} ({recipe['course']}, {recipe['minutes']} min)"
            for name, recipe in sorted(self._recipes.items())
            if any(wanted in item["food"].casefold() for item in recipe["ingredients"])
            and course in ("any", recipe["course"])
            and not 0 < ready_within < recipe["minutes"]
        ]
        return "; ".join(found) or "no such dish"

    def dish_card(self, dish: str, eaters: int = 0) -> str:
        """Show what goes into a dish.

        Fails when the cookbook does not have it.

        Args:
            dish: Name of the dish.
            eaters: For how many people to calculate; 0 for what the recipe says.
        """
        name = self._dish(dish)
        recipe = self._recipes[name]
        if not 0 <= eaters <= 200:
            raise ToolError("`eaters` must be between 0 and 200")
        people = eaters or recipe["serves"]
        items = [
            f"{quantity(item['amount'] * people / recipe['serves'], item['unit'])} {item['food']}"
            for item in recipe["ingredients"]
        ]
        return f"{name} for {people}: {', '.join(items)}; {recipe['minutes']} min"

    def write_recipe(
        self, dish: str, serves: int, cooking_minutes: int, ingredient_lines: list[str]
    ) -> str:
        """Put a new dish into the cookbook.

        Fails when the dish exists, or when a line does not read like `200 g rice`.

        Args:
            dish: Name of the dish.
            serves: For how many people the amounts are.
            cooking_minutes: How long it takes.
            ingredient_lines: One text for each ingredient: amount, unit, food.
        """
        self._add_recipe(dish.strip(), serves, cooking_minutes, ingredient_lines)
        return f"{dish.strip()} is in the cookbook"

    def pantry_contents(self, food: str = "") -> str:
        """Tell what is in the pantry, with best-before dates.

        Args:
            food: Only this food; everything when empty.
        """
        wanted = food.strip().casefold()
        lots = [lot for lot in self._lots() if wanted in lot["food"].casefold()]
        return "; ".join(map(self._lot_line, lots)) or "nothing"

    def stock_pantry(self, food: str, amount: float, unit: Unit, best_before: str = "") -> str:
        """Put food into the pantry.

        Fails when the food is measured otherwise there (grams cannot be added to pieces).

        Args:
            food: What it is.
            amount: How much.
            unit: What the amount counts.
            best_before: Last good day, as YYYY-MM-DD; empty when it keeps.
        """
        good_until = read_day("best_before", best_before) if best_before.strip() else ""
        lot = self._put_in(food, amount, unit, good_until)
        return f"in the pantry: {self._lot_line(lot)}"

    def take_from_pantry(self, food: str, amount: float, unit: Unit) -> str:
        """Use up food from the pantry, the oldest first.

        Fails when there is less than that.

        Args:
            food: What it is.
            amount: How much.
            unit: What the amount counts.
        """
        left, base = self._take_out(food, amount, unit)
        return f"{quantity(left, base)} {food.strip()} left"

    def soon_spoiled(self, by_day: str) -> str:
        """List the food whose best-before date comes by a day.

        Args:
            by_day: Last day that counts, as YYYY-MM-DD.
        """
        limit = read_day("by_day", by_day)
        lots = [lot for lot in self._lots() if "" < lot["best_before"] <= limit]
        return "; ".join(map(self._lot_line, lots)) or "nothing"

    def discard_food(self, food: str, spoiled_only: bool = False) -> str:
        """Throw a food away.

        Fails when there is none, or nothing of it is spoiled and only that should go.

        Args:
            food: What it is.
            spoiled_only: Keep what is still good today.
        """
        gone = self._throw_out(food, spoiled_only=spoiled_only)
        return f"thrown away: {'; '.join(map(self._lot_line, gone))}"

    def need_to_buy(self, food: str, amount: float, unit: Unit) -> str:
        """Put food on the shopping list, or more of it.

        Fails when the food is on it in another measure.

        Args:
            food: What it is.
            amount: How much.
            unit: What the amount counts.
        """
        entry = self._wish_for(food, amount, unit)
        return f"on the list: {quantity(entry['amount'], entry['unit'])} {entry['food']}"

    def strike_off(self, food: str, into_pantry: bool = False) -> str:
        """Take a food off the shopping list.

        Fails when it is not on the list.

        Args:
            food: What it is.
            into_pantry: It was bought: put the amount on the list into the pantry.
        """
        entry = self._wish(food)
        if into_pantry:
            self._put_in(entry["food"], entry["amount"], entry["unit"], "")
        self._shopping.remove(entry)
        return f"off the list: {quantity(entry['amount'], entry['unit'])} {entry['food']}"

    def plan_dish(
        self, dish: str, meal_day: str, mealtime: Mealtime = "dinner", eaters: int = 2
    ) -> str:
        """Put a dish of the cookbook on the menu.

        Fails when the cookbook does not have it, or when that meal is taken.

        Args:
            dish: Name of the dish.
            meal_day: Which day, as YYYY-MM-DD.
            mealtime: Which meal.
            eaters: How many people eat.
        """
        name, day = self._dish(dish), read_day("meal_day", meal_day)
        if not 1 <= eaters <= 200:
            raise ToolError("`eaters` must be between 1 and 200")
        if taken := self._meal(day, mealtime):
            raise ToolError(f"{mealtime} on {day} is {taken['dish']} already")
        self._menu.append({"day": day, "mealtime": mealtime, "dish": name, "eaters": eaters})
        return f"{mealtime} on {day}: {name} for {eaters}"

    def menu_from(self, starting: str, days_shown: int = 7) -> str:
        """Show the menu of some days.

        Args:
            starting: First day, as YYYY-MM-DD.
            days_shown: How many days.
        """
        first = read_day("starting", starting)
        if not 1 <= days_shown <= 60:
            raise ToolError("`days_shown` must be between 1 and 60")
        last = self._day_after(first, timedelta(days=days_shown - 1))
        meals = sorted(
            (meal["day"], ("breakfast", "lunch", "dinner").index(meal["mealtime"]), meal)
            for meal in self._menu
            if first <= meal["day"] <= last
        )
        lines = [f"{day} {m['mealtime']}: {m['dish']} for {m['eaters']}" for day, _, m in meals]
        return "; ".join(lines) or "nothing planned"

    def clear_meal(self, meal_day: str, mealtime: Mealtime = "dinner") -> str:
        """Take a meal off the menu.

        Fails when nothing is planned then.

        Args:
            meal_day: Which day, as YYYY-MM-DD.
            mealtime: Which meal.
        """
        day = read_day("meal_day", meal_day)
        meal = self._meal(day, mealtime)
        if meal is None:
            raise ToolError(f"nothing is planned for {mealtime} on {day}")
        self._menu.remove(meal)
        return f"no longer planned: {meal['dish']}"

    def start_timer(self, rings_for: str, after_minutes: int, keep_ringing: bool = False) -> str:
        """Start a kitchen timer.

        Fails when a timer of that name runs, and beyond 24 hours.

        Args:
            rings_for: What it is for, as its name.
            after_minutes: When it rings.
            keep_ringing: Ring until somebody comes.
        """
        name = rings_for.strip()
        if not name or name.casefold() in map(str.casefold, self._timers):
            raise ToolError("`rings_for` is empty" if not name else f"a timer for {name} runs")
        if not 1 <= after_minutes <= 24 * 60:
            raise ToolError("`after_minutes` must be between 1 and 1440")
        self._timers[name] = {"minutes": after_minutes, "keep_ringing": keep_ringing}
        return f"{name}: rings in {after_minutes} minutes"


class KitchenWorld(World):
    """A kitchen with its cookbook."""

    name = "kitchen"
    split = Split.HELDOUT
    session_type = KitchenSession
    book = tasks.BOOK + lookups.BOOK + chains.BOOK + restraint.BOOK
