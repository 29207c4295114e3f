"""What a data set holds, counted: classes, worlds, kinds, lengths, duplicates.

Plain numbers; drawing them is the command line's work, judging them the reader's.
"""

from __future__ import annotations

import hashlib
import json
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tooldrill.agent.signature import SignatureLevel, signature
from tooldrill.agent.tool import Registry

Row = Mapping[str, Any]

# Generated worlds are counted together: there is no end of them.
_FORGED = re.compile(r"^forge(-h)?-\d+")
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


class StatsCounter:
    """Counts a set row by row; holds a few numbers of each row and no row."""

    def __init__(self) -> None:
        self._rows = 0
        self._columns: dict[str, Counter[str]] = {}
        self._steps: list[int] = []
        self._tools: list[int] = []
        self._characters: list[int] = []
        self._learned = 0
        self._unlearned = 0
        self._digests: set[bytes] = set()

    def add(self, row: Row) -> None:
        """Counts one row."""
        if not self._rows:
            self._columns = {name: Counter() for name in _COUNTED if name in row}
        self._rows += 1
        for name, counter in self._columns.items():
            counter[_FORGED.sub("forge", str(row.get(name, "")))] += 1
        text = conversation(row)
        self._steps.append(_assistant_turns(row))
        self._tools.append(len(row["tools"]))
        self._characters.append(len(text))
        turns = [m for m in _learnable(row) if m["role"] == "assistant"]
        unlearned = sum(message.get("weight", 1) == 0 for message in turns)
        self._unlearned += unlearned
        self._learned += len(turns) - unlearned
        self._digests.add(digest(text))

    @property
    def rows(self) -> int:
        return self._rows

    def result(self) -> Stats:
        """The counts of at least one row."""
        return Stats(
            rows=self._rows,
            counts={name: _ordered(counter) for name, counter in self._columns.items()},
            steps=Spread.of(self._steps),
            tools=Spread.of(self._tools),
            characters=Spread.of(self._characters),
            learned_turns=self._learned,
            unlearned_turns=self._unlearned,
            duplicates=self._rows - len(self._digests),
        )


def stats(rows: Iterable[Row]) -> Stats:
    """Counts an SFT or DPO set of at least one row."""
    counter = StatsCounter()
    for row in rows:
        counter.add(row)
    return counter.result()


def conversation(row: Row) -> str:
    """What a row says, whatever it is called: equal for duplicates."""
    keys = ("tools", "messages", "prompt", "chosen", "rejected")
    return json.dumps([row[key] for key in keys if key in row], ensure_ascii=False)


def shown_length(row: Row) -> int:
    """Characters of the row as a model reads it: tools as signature lines, messages, calls.

    Of a pair, with the longer of its two replies. Near enough to choose rows by; tokens are counted
    where there is a tokenizer.
    """
    tools = sum(len(line) + 1 for line in _lines(row["tools"]))
    if "messages" in row:
        return tools + _written(row["messages"])
    replies = max(_written(row["chosen"]), _written(row["rejected"]))
    return tools + _written(row["prompt"]) + replies


def _lines(tools: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for tool in Registry.from_openai(tools):
        yield signature(tool, SignatureLevel.TYPED)


def _written(messages: Sequence[Mapping[str, Any]]) -> int:
    # A turn's frame (its role and marks) is about thirty characters.
    return sum(
        30
        + len(str(m.get("content") or ""))
        + sum(
            len(json.dumps(call["function"], ensure_ascii=False))
            for call in m.get("tool_calls") or ()
        )
        for m in messages
    )


def _learnable(row: Row) -> list[dict[str, Any]]:
    """The messages that training may learn: of a pair only the chosen reply."""
    return list(row["messages"] if "messages" in row else row["chosen"])


def _assistant_turns(row: Row) -> int:
    messages = row["messages"] if "messages" in row else [*row["prompt"], *row["chosen"]]
    return sum(message["role"] == "assistant" for message in messages)


def _ordered(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def digest(text: str) -> bytes:
    """A fingerprint of a text."""
    return hashlib.sha256(text.encode()).digest()
