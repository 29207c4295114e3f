"""Names that are nearly the same: what a wrong one was probably meant to be.

Case and separators do not count: `appendFile`, `append-file` and `append_file` are one name here.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz import fuzz, process

CUTOFF = 0.6  # of 1: below this, a suggestion misleads more often than it helps


@lru_cache(maxsize=65536)
def plain(name: str) -> str:
    """The name without case and separators."""
    return "".join(ch for ch in name.lower() if ch.isalnum())


def nearest(name: str, names: Iterable[str], cutoff: float = CUTOFF) -> str | None:
    """The most similar of `names`, the first among equals; None when nothing is near.

    Similarity is 1 - d / (len(a) + len(b)), d counting insertions and deletions.
    """
    candidates = list(names)
    found = process.extractOne(
        plain(name), [plain(c) for c in candidates], scorer=fuzz.ratio, score_cutoff=100 * cutoff
    )
    return candidates[found[2]] if found else None
