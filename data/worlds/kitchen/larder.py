"""Random kitchens for the `kitchen` world: foods with their measures, dishes, best-before days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

from tooldrill.data.values.names import Draw
from tooldrill.data.values.words import word_list

_BY_WEIGHT = word_list(
    """
    almonds barley beetroot bulgur butter carrots cheddar chickpeas chocolate couscous cranberries
    feta flour gouda hazelnuts kale lentils mushrooms noodles oats parsnips peanuts pecorino
    polenta prawns quinoa raisins rhubarb rice salmon sauerkraut semolina spinach tofu turnips
    walnuts yeast
    """
)
_BY_VOLUME = word_list(
    """
    buttermilk cider cream kefir lemonade milk oil passata port soy-sauce stock syrup verjuice
    vinegar wine worcestershire
    """
)
_BY_COUNT = word_list(
    """
    apples artichokes aubergines avocados bagels bananas courgettes crumpets eggs figs gherkins
    leeks lemons limes mangoes onions oranges papayas peaches pears pineapples quinces radishes
    shallots tortillas
    """
)
_SORTS = word_list(
    """
    black brown coarse dried fresh frozen green organic pickled red roasted smoked sweet white
    wholegrain wild young
    """
)
_FORMS = word_list(
    """
    bake biryani casserole chowder crumble curry dumplings frittata goulash gratin hotpot kedgeree
    lasagne moussaka omelette pie pilaf pudding quiche ragout risotto salad skewers soup stew
    stroganoff tagine tart traybake
    """
)
COURSES = ("starter", "main", "dessert")


class Food(NamedTuple):
    """A food and what it is measured in: `g`, `ml` or `pieces`."""

    name: str
    unit: str


def food(draw: Draw) -> Food:
    """A food, such as `smoked paprika` or `Novak's cider`."""
    words, unit = draw.pick(((_BY_WEIGHT, "g"), (_BY_VOLUME, "ml"), (_BY_COUNT, "pieces")))
    maker = draw.pick((f"{draw.brand()}'s", draw.city(), draw.foreign_city()))
    sort = draw.pick((draw.pick(_SORTS), draw.pick(_SORTS), maker))
    return Food(f"{sort} {draw.pick(words)}", unit)


def foods(draw: Draw, count: int) -> list[Food]:
    """Different foods."""
    return draw.several(lambda: food(draw), count)


def dish_name(draw: Draw, of: str = "") -> str:
    """A dish, such as `Aunt Hilda's leek gratin`."""
    owner = draw.pick((f"{draw.first_name()}'s", draw.city(), f"Aunt {draw.first_name()}'s"))
    return f"{owner} {of or draw.pick((*_BY_WEIGHT, *_BY_COUNT))} {draw.pick(_FORMS)}"


def amount_of(draw: Draw, unit: str) -> int:
    """An amount that can be halved."""
    return draw.number(1, 8) * 2 if unit == "pieces" else draw.number(2, 60) * 20


def spoken(draw: Draw, amount: int, unit: str) -> tuple[str, int, str]:
    """An amount as somebody says it, and the number and unit that a call needs for it."""
    if unit == "pieces":
        return draw.spoken_number(amount), amount, unit
    bigger, word, small = (
        ("kg", "kilos", "grams") if unit == "g" else ("l", "litres", "millilitres")
    )
    if amount >= 1000 and draw.chance(0.5):
        count = amount // 1000 + 1
        return f"{draw.spoken_number(count)} {word}", count, bigger
    return draw.pick((f"{amount} {small}", f"{amount} {unit}", f"{amount}{unit}")), amount, unit


class Larder:
    """A kitchen in the making.

    Args:
        draw: where everything random comes from.
        others: dishes and lots of food beside those that a task is about.
    """

    def __init__(self, draw: Draw, others: int = 3) -> None:
        self._draw = draw
        self.today = draw.day(2024, 2030)
        self.recipes: dict[str, dict[str, Any]] = {}
        self.pantry: list[dict[str, Any]] = []
        self.shopping: list[dict[str, Any]] = []
        self.menu: list[dict[str, Any]] = []
        for _ in range(others):
            self.dish(foods(draw, 2))
            self.lot(food(draw), 0 if draw.chance(0.4) else draw.number(60, 400))

    def dish(self, items: list[Food], **fixed: Any) -> str:
        """A new dish of these foods for four people; its name."""
        draw = self._draw
        name = draw.several(lambda: dish_name(draw, items[0].name.split()[-1]), 1)[0]
        while name in self.recipes:
            name = dish_name(draw)
        self.recipes[name] = {
            "serves": 4,
            "minutes": draw.number(4, 30) * 5,
            "course": draw.pick(COURSES),
            "ingredients": [
                {"food": item.name, "amount": amount_of(draw, item.unit), "unit": item.unit}
                for item in items
            ],
            **fixed,
        }
        return name

    def lot(self, item: Food, keeps: int = 0, **fixed: Any) -> dict[str, Any]:
        """Food in the pantry that is good for `keeps` days from today; for ever when 0."""
        until = (self.today + timedelta(days=keeps)).isoformat() if keeps else ""
        amount = amount_of(self._draw, item.unit)
        lot = {"food": item.name, "amount": amount, "unit": item.unit, "best_before": until}
        self.pantry.append(lot | fixed)
        return self.pantry[-1]

    def wish(self, item: Food) -> dict[str, Any]:
        """An entry of the shopping list."""
        amount = amount_of(self._draw, item.unit)
        self.shopping.append({"food": item.name, "amount": amount, "unit": item.unit})
        return self.shopping[-1]

    def meal(self, day: date, dish: str, mealtime: str = "dinner") -> None:
        """A dish on the menu for two."""
        entry = {"day": day.isoformat(), "mealtime": mealtime, "dish": dish, "eaters": 2}
        self.menu.append(entry)

    def soon(self) -> date:
        """A day within the next weeks."""
        return self.today + timedelta(days=self._draw.number(1, 30))

    @property
    def state(self) -> dict[str, Any]:
        """The kitchen as plain JSON."""
        return {
            "today": self.today.isoformat(),
            "recipes": self.recipes,
            "pantry": self.pantry,
            "shopping": self.shopping,
            "menu": self.menu,
            "timers": {},
        }
