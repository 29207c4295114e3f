"""What a data set holds, counted: classes, worlds, kinds, lengths, duplicates.

Plain numbers; drawing them is the command line's work, judging them the reader's.
"""

from __future__ import annotations

import hashlib
import json
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Row = Mapping[str, Any]

_COUNTED = ("world", "split", "kind", "violation", "source", "template")


@dataclass(frozen=True)
class Spread:
    """A distribution in four numbers."""

    smallest: int
    median: float
    largest: int
    mean: float

    @classmethod
    def of(cls, values: Sequence[int]) -> Spread:
        """The spread of at least one value."""
        mean = round(statistics.fmean(values), 1)
        return cls(min(values), float(statistics.median(values)), max(values), mean)


@dataclass(frozen=True)
class Stats:
    """Counts of one data set.

    Attributes:
        rows: how many.
        counts: column to value to rows, most frequent first; `violation` "" means none.
        steps: assistant turns of a row (of a pair: those of its prompt and the chosen one).
        tools: tools offered.
        characters: JSON length of the messages and tools of a row, a rough measure of size.
        learned_turns: assistant turns that are learned; unlearned_turns carry weight 0.
        duplicates: rows whose messages occurred before.
    """

    rows: int
    counts: dict[str, dict[str, int]]
    steps: Spread
    tools: Spread
    characters: Spread
    learned_turns: int
    unlearned_turns: int
    duplicates: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def stats(rows: Sequence[Row]) -> Stats:
    """Counts an SFT or DPO set of at least one row."""
    conversations = [_conversation(row) for row in rows]
    turns = [m for row in rows for m in _learnable(row) if m["role"] == "assistant"]
    unlearned = sum(message.get("weight", 1) == 0 for message in turns)
    return Stats(
        rows=len(rows),
        counts={name: _count(rows, name) for name in _COUNTED if name in rows[0]},
        steps=Spread.of([_assistant_turns(row) for row in rows]),
        tools=Spread.of([len(row["tools"]) for row in rows]),
        characters=Spread.of([len(text) for text in conversations]),
        learned_turns=len(turns) - unlearned,
        unlearned_turns=unlearned,
        duplicates=len(rows) - len({_digest(text) for text in conversations}),
    )


def _conversation(row: Row) -> str:
    keys = ("tools", "messages", "prompt", "chosen", "rejected")
    return json.dumps([row[key] for key in keys if key in row], ensure_ascii=False)


def _learnable(row: Row) -> list[dict[str, Any]]:
    """The messages that training may learn: of a pair only the chosen reply."""
    return list(row["messages"] if "messages" in row else row["chosen"])


def _assistant_turns(row: Row) -> int:
    messages = row["messages"] if "messages" in row else [*row["prompt"], *row["chosen"]]
    return sum(message["role"] == "assistant" for message in messages)


def _count(rows: Sequence[Row], column: str) -> dict[str, int]:
    counter = Counter(str(row.get(column, "")) for row in rows)
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
