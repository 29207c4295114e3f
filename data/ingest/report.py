"""What an import kept and what it dropped, counted by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tooldrill.data.ingest.conversation import DroppedError

_EXAMPLES = 5


@dataclass
class Dropped:
    """Records dropped for one reason.

    Attributes:
        count: how many.
        examples: ids of the first ones.
        detail: what exactly was wrong with the first.
    """

    count: int = 0
    examples: list[str] = field(default_factory=list)
    detail: str = ""


@dataclass
class Report:
    """The balance of an import.

    Attributes:
        read: records seen; kept: rows written.
        formats: format (or source) to rows kept.
        cut: of these, rows that end with the first of several calls; the others are left out.
        dropped: reason to what it cost; `read` is `kept` and all of these.
    """

    read: int = 0
    kept: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    dropped: dict[str, Dropped] = field(default_factory=dict)

    def keep(self, kind: str) -> None:
        """Counts a row."""
        self.read += 1
        self.kept += 1
        self.formats[kind] += 1

    def drop(self, record_id: str, error: DroppedError) -> None:
        """Counts a record that was not used."""
        self.read += 1
        entry = self.dropped.setdefault(error.reason, Dropped(detail=error.detail))
        entry.count += 1
        if len(entry.examples) < _EXAMPLES:
            entry.examples.append(record_id)

    def lines(self) -> Iterator[str]:
        """The balance in words, most frequent reasons first."""
        kept = ", ".join(f"{name} {count}" for name, count in self.formats.most_common())
        yield f"{self.read} read, {self.kept} kept" + (f" ({kept})" if kept else "")
        if self.cut:
            yield f"  {self.cut} of them end with the first of several calls: one is made at a time"
        for reason, entry in sorted(self.dropped.items(), key=lambda item: -item[1].count):
            detail = f": {entry.detail}" if entry.detail else ""
            yield f"  dropped {entry.count}: {reason} (first {entry.examples[0]}{detail})"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "formats": dict(self.formats)}
