"""Names that a forged world must not use: those of the hand-written worlds of the other split."""

from __future__ import annotations

from functools import cache

from tooldrill.data.tasks.task import Split


@cache
def foreign_names(split: Split) -> frozenset[str]:
    """Tool names of the worlds that `split` must not share any with."""
    return frozenset(name for name, _ in _tools(split))


@cache
def foreign_sets(split: Split) -> frozenset[frozenset[str]]:
    """Sets of parameter names of those worlds."""
    return frozenset(parameters for _, parameters in _tools(split))


def _tools(split: Split) -> list[tuple[str, frozenset[str]]]:
    # The catalog offers forged worlds too, so it cannot be imported while it is being made.
    from tooldrill.data.worlds.catalog import get_world, world_names

    other = Split.TRAIN if split is Split.HELDOUT else Split.HELDOUT
    return [
        (tool.name, tool.parameter_names)
        for name in world_names(other)
        for tool in get_world(name).registry
    ]
