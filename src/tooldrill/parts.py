"""Progress of a stage that does the same thing for several models, one after the other."""

from __future__ import annotations

from tooldrill.agent.progress import Progress

_SCALE = 1000


def part_of(progress: Progress, index: int, count: int, name: str) -> Progress:
    """What part number `index` of `count` equal parts reports to; its notes begin with `name`."""

    def report(done: int, total: int, note: str = "") -> None:
        share = index * _SCALE + _SCALE * done // max(total, 1)
        progress(share, count * _SCALE, f"{name}: {note}" if note else name)

    return report
