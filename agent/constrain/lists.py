"""Items one after another, as GBNF: with separators, some of them required, some left out."""

from __future__ import annotations

from collections.abc import Sequence

from tooldrill.agent.constrain.rules import NOTHING, Rules


def members(
    rules: Rules, parts: Sequence[tuple[str, bool]], separator: str, more: str | None = None
) -> str:
    """The parts in order, those that are not required left out or not.

    Args:
        parts: expressions, each with whether it is required.
        separator: what stands between two of them.
        more: what may follow, any number of times.
    """
    first = rest = NOTHING
    if more is not None:
        rest = rules.add("more", f"({separator} {more})*")
        first = rules.add("more", f"{more} {rest} | {NOTHING}")
    for part, required in reversed(parts):
        now, later = f"{part} {rest}", f"{separator} {part} {rest}"
        first = rules.add("first", now if required else f"{now} | {first}")
        rest = rules.add("rest", later if required else f"{later} | {rest}")
    return first


def places(parts: Sequence[str], fewest: int, separator: str, more: str | None) -> str:
    """Items that each have their place: none comes without those before it."""
    rest = f"({separator} {more})*" if more is not None else ""
    if more is not None and not parts:
        return f"({more} {rest})?"
    for place in range(len(parts) - 1, -1, -1):
        rest = f"{separator if place else ''} {parts[place]} {rest}".strip()
        rest = rest if place < fewest else f"({rest})?"
    return rest or NOTHING


def listing(item: str, separator: str, fewest: int, most: int | None) -> str:
    """Items with separators between them."""
    if most == 0:
        return NOTHING
    after = f"({separator} {item}){{{max(fewest - 1, 0)},{'' if most is None else most - 1}}}"
    return f"{item} {after}" if fewest else f"({item} {after})?"
