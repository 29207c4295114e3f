"""Sessions whose state is a few SQLite tables in memory.

State: `{table: [row, ...]}`, a row being `{column: value}`; a table without rows may be left out.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, ClassVar

from tooldrill.agent.environment import Observation
from tooldrill.data.worlds.base import Session

Row = sqlite3.Row


class TableSession(Session):
    """A session over the tables of `schema`; a call that ends in an error changes nothing."""

    schema: ClassVar[str]

    def __init__(self, state: dict[str, Any]) -> None:
        # Loops may run their episodes in threads; each session is used by one at a time.
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.row_factory = Row
        self._db.executescript(self.schema)
        for table, rows in state.items():
            for row in rows:
                marks = ", ".join("?" * len(row))
                columns = ", ".join(row)
                self.run(f"INSERT INTO {table} ({columns}) VALUES ({marks})", *row.values())
        self._db.commit()

    def close(self) -> None:
        self._db.close()

    def snapshot(self) -> dict[str, Any]:
        """Every table, its rows in an order that does not depend on when they were written."""
        tables = self.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return {
            table["name"]: sorted(
                (dict(row) for row in self.rows(f"SELECT * FROM {table['name']}")),
                key=lambda row: json.dumps(row, sort_keys=True),
            )
            for table in tables
        }

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        observation = super().call(name, arguments)
        if observation.error:
            self._db.rollback()
        else:
            self._db.commit()
        return observation

    def rows(self, sql: str, *values: object) -> list[Row]:
        """All rows of a query."""
        return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> Row | None:
        """The first row of a query, if any."""
        found: Row | None = self._db.execute(sql, values).fetchone()
        return found

    def run(self, sql: str, *values: object) -> int:
        """Carries out a statement; how many rows it touched."""
        return self._db.execute(sql, values).rowcount
