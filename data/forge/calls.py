"""What a task's calls imply: siblings that tempt, look-ups that need no repetition."""

from __future__ import annotations

from tooldrill.data.forge.asks import CHANGES
from tooldrill.data.forge.blueprint import Blueprint, Op
from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import OracleCall


def needs(draw: Draw, plan: Blueprint, calls: list[OracleCall]) -> tuple[str, ...]:
    """Siblings of the tool that is called last: they are what tempts."""
    if not calls:
        return ()
    last = next(op for op in plan.ops if op.name == calls[-1][0])
    used = {name for name, _ in calls}
    near = [op.name for op in plan.ops if op.type is last.type and op.name not in used]
    return tuple(draw.sample(near, 1)) if near and draw.chance(0.5) else ()


def changes(plan: Blueprint) -> list[Op]:
    """The operations that change a record there is."""
    return [op for op in plan.ops if op.action in CHANGES]


def without_repeats(plan: Blueprint, calls: list[OracleCall]) -> list[OracleCall]:
    """What was looked up stands in the conversation: ids stay, so once is enough."""
    looks = {op.name for op in plan.ops if op.action in ("find", "list")}
    kept: list[OracleCall] = []
    for call in calls:
        if not (call[0] in looks and call in kept):
            kept.append(call)
    return kept
