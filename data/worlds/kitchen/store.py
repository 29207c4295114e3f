"""One kitchen as plain state: what the tools of the `kitchen` world read and write.

Amounts are kept in grams, millilitres or pieces, whatever they were given in. No tool is defined
here.
"""

from __future__ import annotations

import json
import math
import re
from datetime import date, timedelta
from typing import Any, Literal

from tooldrill.agent.environment import ToolError
from tooldrill.data.worlds.base import Session, own_copy

Unit = Literal["g", "kg", "ml", "l", "pieces"]
Entry = dict[str, Any]

_BASES: dict[str, tuple[str, int]] = {
    "g": ("g", 1),
    "kg": ("g", 1000),
    "ml": ("ml", 1),
    "l": ("ml", 1000),
    "pieces": ("pieces", 1),
}
_LINE = re.compile(r"\s*(\d{1,6}(?:\.\d{1,3})?)\s*(kg|g|ml|l|pieces)\s+(\S.*)")
_MOST = 1e9


class KitchenStore(Session):
    """Recipes, lots of food, wishes, planned meals and timers.

    State: `today`, `recipes` (by name: `serves`, `minutes`, `course`, `ingredients`), `pantry`
    and `shopping` (lists of `food`, `amount`, `unit`; the pantry's with `best_before`), `menu`
    (a list of `day`, `mealtime`, `dish`, `eaters`) and `timers` (by name).
    """

    def __init__(self, state: dict[str, Any]) -> None:
        self._state: dict[str, Any] = own_copy(state)
        self._recipes: dict[str, Entry] = self._state["recipes"]
        self._pantry: list[Entry] = self._state["pantry"]
        self._shopping: list[Entry] = self._state["shopping"]
        self._menu: list[Entry] = self._state["menu"]
        self._timers: dict[str, Entry] = self._state["timers"]

    def snapshot(self) -> dict[str, Any]:
        """Everything, lists sorted."""
        lists = {
            name: sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))
            for name, entries in self._state.items()
            if isinstance(entries, list)
        }
        return own_copy({**self._state, **lists})

    def _dish(self, name: str) -> str:
        """The dish as it is spelled, whatever the case it was asked for in."""
        for dish in self._recipes:
            if dish.casefold() == name.strip().casefold():
                return dish
        raise ToolError(f"no dish {name} in the cookbook")

    def _add_recipe(self, dish: str, serves: int, minutes: int, lines: list[str]) -> None:
        if not dish or not lines:
            raise ToolError("`dish` and `ingredient_lines` must not be empty")
        if any(dish.casefold() == known.casefold() for known in self._recipes):
            raise ToolError(f"the cookbook has {dish} already")
        if not (1 <= serves <= 200 and 1 <= minutes <= 6000):
            raise ToolError("`serves` or `cooking_minutes` is out of range")
        items = []
        for line in lines:
            match = _LINE.fullmatch(line)
            if match is None:
                raise ToolError(f"not like `200 g rice`: {line}")
            amount, unit = in_base(float(match[1]), match[2])
            items.append({"food": match[3].strip(), "amount": amount, "unit": unit})
        recipe = {"serves": serves, "minutes": minutes, "course": "main", "ingredients": items}
        self._recipes[dish] = recipe

    def _lots(self) -> list[Entry]:
        return sorted(self._pantry, key=lambda lot: (lot["food"], lot["best_before"] or "9999"))

    def _lot_line(self, lot: Entry) -> str:
        until = f" until {lot['best_before']}" if lot["best_before"] else ""
        return f"{quantity(lot['amount'], lot['unit'])} {lot['food']}{until}"

    def _lots_of(self, food: str) -> list[Entry]:
        """The lots of exactly this food, oldest first."""
        wanted = food.strip().casefold()
        found = [lot for lot in self._lots() if lot["food"].casefold() == wanted]
        if not found:
            raise ToolError(f"no {food.strip()} in the pantry")
        return found

    def _put_in(self, food: str, amount: float, unit: str, best_before: str) -> Entry:
        name = _food(food)
        added, base = in_base(amount, unit)
        for lot in self._pantry:
            if lot["food"].casefold() != name.casefold():
                continue
            _need_same(lot, base)
            if lot["best_before"] == best_before:
                lot["amount"] = tidy(lot["amount"] + added)
                return lot
        lot = {"food": name, "amount": added, "unit": base, "best_before": best_before}
        self._pantry.append(lot)
        return lot

    def _take_out(self, food: str, amount: float, unit: str) -> tuple[float, str]:
        """What is left of the food, and in what it is measured."""
        lots, (wanted, base) = self._lots_of(food), in_base(amount, unit)
        _need_same(lots[0], base)
        there = sum(lot["amount"] for lot in lots)
        if wanted > there:
            raise ToolError(f"there are only {quantity(there, base)} {food.strip()}")
        for lot in lots:
            used = min(wanted, lot["amount"])
            lot["amount"], wanted = tidy(lot["amount"] - used), tidy(wanted - used)
            if lot["amount"] == 0:
                self._pantry.remove(lot)
        return tidy(there - in_base(amount, unit)[0]), base

    def _throw_out(self, food: str, *, spoiled_only: bool) -> list[Entry]:
        today = self._state["today"]
        lots = [
            lot
            for lot in self._lots_of(food)
            if not spoiled_only or "" < lot["best_before"] < today
        ]
        if not lots:
            raise ToolError(f"no {food.strip()} is spoiled; today is {today}")
        for lot in lots:
            self._pantry.remove(lot)
        return lots

    def _wish(self, food: str) -> Entry:
        for entry in self._shopping:
            if entry["food"].casefold() == food.strip().casefold():
                return entry
        raise ToolError(f"{food.strip()} is not on the shopping list")

    def _wish_for(self, food: str, amount: float, unit: str) -> Entry:
        name, (more, base) = _food(food), in_base(amount, unit)
        for entry in self._shopping:
            if entry["food"].casefold() == name.casefold():
                _need_same(entry, base)
                entry["amount"] = tidy(entry["amount"] + more)
                return entry
        entry = {"food": name, "amount": more, "unit": base}
        self._shopping.append(entry)
        return entry

    def _meal(self, day: str, mealtime: str) -> Entry | None:
        meals = (m for m in self._menu if (m["day"], m["mealtime"]) == (day, mealtime))
        return next(meals, None)

    def _day_after(self, day: str, step: timedelta) -> str:
        return (date.fromisoformat(day) + step).isoformat()


def in_base(amount: float, unit: str) -> tuple[float, str]:
    """The amount in grams, millilitres or pieces; a `ToolError` unless it is above 0."""
    base, factor = _BASES[unit]
    if not (math.isfinite(amount) and 0.001 <= amount * factor <= _MOST):
        raise ToolError("`amount` must be above 0 and not absurdly large")
    return tidy(amount * factor), base


def tidy(amount: float) -> float:
    """The amount to a thousandth, whole ones as integers: 0.1 + 0.2 is 0.3 here."""
    rounded = round(amount, 3)
    return int(rounded) if rounded == int(rounded) else rounded


def quantity(amount: float, unit: str) -> str:
    """`250 g`, `3 pieces`, `2.5 ml`."""
    return f"{tidy(amount)} {unit}"


def read_day(parameter: str, text: str) -> str:
    """The day as YYYY-MM-DD; a `ToolError` naming the parameter when it is none."""
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise ToolError(f"`{parameter}` must be a day as YYYY-MM-DD, not {text}") from None


def _food(name: str) -> str:
    if not name.strip():
        raise ToolError("`food` must not be empty")
    return name.strip()


def _need_same(entry: Entry, base: str) -> None:
    if entry["unit"] != base:
        raise ToolError(f"{entry['food']} is measured in {entry['unit']} here, not in {base}")
