"""Schemas that no value fits: how that is told, and how alternatives get along without one."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class UnsatisfiableError(ValueError):
    """No value fits the schema; its text says where."""


def at_least_one(ways: Iterable[Callable[[], str]], where: str) -> list[str]:
    """The expressions of those ways in which something fits.

    Raises:
        UnsatisfiableError: when nothing does.
    """
    failure = UnsatisfiableError(where)
    found = []
    for make in ways:
        try:
            found.append(make())
        except UnsatisfiableError as error:
            failure = error
    if not found:
        raise failure
    return found


def if_any(make: Callable[[], str]) -> str | None:
    """The expression; None when nothing fits."""
    try:
        return make()
    except UnsatisfiableError:
        return None
