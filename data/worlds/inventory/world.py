"""The `inventory` world: items, places and what lies where, in tables of a small warehouse."""

from __future__ import annotations

from typing import ClassVar, Literal

from tooldrill.agent.environment import ToolError
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.inventory import chains, lookups, restraint, tasks
from tooldrill.data.worlds.tables import Row, TableSession


class InventorySession(TableSession):
    """One warehouse."""

    tool_names: ClassVar[tuple[str, ...]] = (
        "find_item",
        "stock_level",
        "receive_stock",
        "ship_stock",
        "move_stock",
        "add_item",
        "set_price",
        "set_reorder_level",
        "low_stock",
        "list_locations",
        "open_location",
    )
    schema: ClassVar[str] = """
        CREATE TABLE items (sku TEXT PRIMARY KEY, name TEXT, category TEXT, price REAL,
                            reorder_level INTEGER);
        CREATE TABLE locations (code TEXT PRIMARY KEY, note TEXT);
        CREATE TABLE stock (sku TEXT, location TEXT, quantity INTEGER,
                            PRIMARY KEY (sku, location));
    """

    def find_item(self, query: str, category: str = "", limit: int = 5) -> str:
        """Find items by part of their name.

        Args:
            query: Part of the name.
            category: Only items of this category.
            limit: Most items to show.
        """
        found = self.rows(
            "SELECT * FROM items WHERE instr(lower(name), lower(?)) AND (? = '' OR category = ?) "
            "ORDER BY sku LIMIT ?",
            query,
            category,
            category,
            max(limit, 0),
        )
        shown = [f"{r['sku']} {r['name']} ({r['category']}, {r['price']:g})" for r in found]
        return "; ".join(shown) or "no items found"

    def stock_level(self, sku: str, location: str = "") -> str:
        """Show how many pieces of an item there are.

        Args:
            sku: Stock code of the item.
            location: Only at this shelf.
        """
        self._item(sku)
        if location:
            self._location(location)
            return f"{self._quantity(sku, location)} in {location}"
        found = self.rows(
            "SELECT * FROM stock WHERE sku = ? AND quantity > 0 ORDER BY location", sku
        )
        places = ", ".join(f"{r['quantity']} in {r['location']}" for r in found)
        return f"{places}; total {sum(r['quantity'] for r in found)}" if found else "none"

    def receive_stock(self, sku: str, quantity: int, location: str) -> str:
        """Book pieces that arrived.

        Args:
            sku: Stock code of the item.
            quantity: How many arrived.
            location: Shelf they are put on.
        """
        self._item(sku)
        self._location(location)
        self._add(sku, location, _positive(quantity))
        return f"{sku}: now {self._quantity(sku, location)} in {location}"

    def ship_stock(
        self, sku: str, quantity: int, location: str, allow_partial: bool = False
    ) -> str:
        """Book pieces that leave the warehouse.

        Args:
            sku: Stock code of the item.
            quantity: How many leave.
            location: Shelf they are taken from.
            allow_partial: Ship what there is when it is too little.
        """
        self._item(sku)
        self._location(location)
        there = self._quantity(sku, location)
        shipped = min(there, _positive(quantity)) if allow_partial else quantity
        self._take(sku, location, _positive(quantity) if not allow_partial else shipped)
        return f"shipped {shipped}; {there - shipped} left in {location}"

    def move_stock(self, sku: str, quantity: int, source: str, target: str) -> str:
        """Move pieces from one shelf to another.

        Args:
            sku: Stock code of the item.
            quantity: How many to move.
            source: Shelf they leave.
            target: Shelf they go to.
        """
        self._item(sku)
        self._location(source)
        self._location(target)
        self._take(sku, source, _positive(quantity))
        self._add(sku, target, quantity)
        return f"{sku}: {self._quantity(sku, source)} in {source}, " + (
            f"{self._quantity(sku, target)} in {target}"
        )

    def add_item(
        self,
        name: str,
        category: str = "general",
        price: float = 0.0,
        reorder_level: int = 0,
    ) -> str:
        """Enter a new item into the catalogue.

        Args:
            name: What it is.
            category: Group it belongs to.
            price: Price of one piece.
            reorder_level: Quantity below which to order again.
        """
        if self.row("SELECT 1 FROM items WHERE lower(name) = lower(?)", name):
            raise ToolError(f"there is an item of that name: {name}")
        numbers = [int(r["sku"].partition("-")[2]) for r in self.rows("SELECT sku FROM items")]
        sku = f"SK-{max(numbers, default=100) + 1}"
        self.run(
            "INSERT INTO items VALUES (?, ?, ?, ?, ?)", sku, name, category, price, reorder_level
        )
        return f"{sku} {name}"

    def set_price(self, sku: str, price: float) -> str:
        """Change the price of an item.

        Args:
            sku: Stock code of the item.
            price: New price of one piece.
        """
        before = self._item(sku)["price"]
        if price < 0:
            raise ToolError("`price` must not be negative")
        self.run("UPDATE items SET price = ? WHERE sku = ?", price, sku)
        return f"{sku}: {before:g} -> {price:g}"

    def set_reorder_level(self, sku: str, reorder_level: int) -> str:
        """Change when an item has to be ordered again.

        Args:
            sku: Stock code of the item.
            reorder_level: Quantity below which to order again.
        """
        self._item(sku)
        if reorder_level < 0:
            raise ToolError("`reorder_level` must not be negative")
        self.run("UPDATE items SET reorder_level = ? WHERE sku = ?", reorder_level, sku)
        return f"{sku}: order again below {reorder_level}"

    def low_stock(self, category: str = "", limit: int = 10) -> str:
        """List items of which there are too few.

        Args:
            category: Only items of this category.
            limit: Most items to show.
        """
        found = self.rows(
            "SELECT i.sku, i.name, coalesce(sum(s.quantity), 0) AS total FROM items i "
            "LEFT JOIN stock s ON s.sku = i.sku WHERE ? = '' OR i.category = ? "
            "GROUP BY i.sku HAVING total < i.reorder_level ORDER BY i.sku LIMIT ?",
            category,
            category,
            max(limit, 0),
        )
        return "; ".join(f"{r['sku']} {r['name']}: {r['total']}" for r in found) or "nothing"

    def list_locations(self, order: Literal["code", "note"] = "code") -> str:
        """List the shelves.

        Args:
            order: What to sort by.
        """
        found = self.rows(f"SELECT * FROM locations ORDER BY {order}")
        return ", ".join(f"{r['code']} ({r['note']})" for r in found) or "none"

    def open_location(self, code: str, note: str = "") -> str:
        """Add a shelf.

        Args:
            code: Short name of the shelf.
            note: What is kept there.
        """
        if self.row("SELECT 1 FROM locations WHERE code = ?", code):
            raise ToolError(f"there is a location {code} already")
        self.run("INSERT INTO locations VALUES (?, ?)", code, note)
        return f"location {code} is open"

    def _item(self, sku: str) -> Row:
        found = self.row("SELECT * FROM items WHERE sku = ?", sku)
        if found is None:
            raise ToolError(f"no item {sku}")
        return found

    def _location(self, code: str) -> None:
        if not self.row("SELECT 1 FROM locations WHERE code = ?", code):
            raise ToolError(f"no location {code}")

    def _quantity(self, sku: str, location: str) -> int:
        found = self.row("SELECT * FROM stock WHERE sku = ? AND location = ?", sku, location)
        return int(found["quantity"]) if found else 0

    def _add(self, sku: str, location: str, quantity: int) -> None:
        self.run(
            "INSERT INTO stock VALUES (?, ?, ?) ON CONFLICT (sku, location) "
            "DO UPDATE SET quantity = quantity + excluded.quantity",
            sku,
            location,
            quantity,
        )
        # Nothing on a shelf and no row for it are the same state.
        self.run("DELETE FROM stock WHERE quantity = 0")

    def _take(self, sku: str, location: str, quantity: int) -> None:
        there = self._quantity(sku, location)
        if there < quantity:
            raise ToolError(f"only {there} of {sku} in {location}")
        self._add(sku, location, -quantity)


def _positive(quantity: int) -> int:
    if quantity <= 0:
        raise ToolError("`quantity` must be at least 1")
    return quantity


class InventoryWorld(World):
    """A small warehouse."""

    name = "inventory"
    split = Split.TRAIN
    session_type = InventorySession
    book = tasks.BOOK + lookups.BOOK + chains.BOOK + restraint.BOOK
