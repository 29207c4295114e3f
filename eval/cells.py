"""The cells of a run's evaluation: its suites, each under the base condition and its variations.

A cell is one condition on one suite; every model of a run has a results file for each. What a cell
was called stands in its results (`Results.cell`), what it means in their condition.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from tooldrill.eval.settings import EvalSettings

_AS_IT_IS = object()  # not None: that is a value, too


@dataclass(frozen=True)
class Cell:
    """One condition on one suite.

    Attributes:
        suite: name or folder of the suite; None for the tasks that the config itself describes.
        name: what differs from the base condition, `loop.constrain=call`; empty for the base.
        settings: with the difference.
    """

    suite: str | None
    name: str
    settings: EvalSettings

    @property
    def is_main(self) -> bool:
        """Whether it is what a run without suites and matrix consists of."""
        return self.suite is None and not self.name


def cells(settings: EvalSettings) -> list[Cell]:
    """All cells, a suite after the other, the base condition of each first.

    Values that the base condition has already make no cell. Where only the tools of a suite would
    change, which a suite decides itself, there is none either.
    """
    found: list[Cell] = []
    for suite in (None, *settings.suites):
        found.append(Cell(suite, "", settings))
        for changes in _variations(settings):
            if suite is not None and changes.keys() <= {"tools"}:
                continue
            found.append(Cell(suite, told(changes), changed_settings(settings, changes)))
    return found


def told(changes: Mapping[str, Any]) -> str:
    """The changes in one line: `loop.constrain=call, engine.cache_type=q8_0`."""
    return ", ".join(f"{axis}={_plain(value)}" for axis, value in changes.items())


def changed_settings(settings: EvalSettings, changes: Mapping[str, Any]) -> EvalSettings:
    """The settings with other values, by their keys.

    Raises:
        ValueError: when there is no such key, or the value does not fit (pydantic's too).
    """
    plain = settings.model_dump(mode="json") | {"matrix": {}}
    for axis, value in changes.items():
        *sections, key = axis.split(".")
        holder = plain
        for section in sections:
            inner = holder.get(section)
            if not isinstance(inner, dict):
                raise ValueError(f"{section} has no keys")
            holder = inner
        holder[key] = value
    return EvalSettings.model_validate(plain)


def _variations(settings: EvalSettings) -> Iterator[dict[str, Any]]:
    if settings.matrix_mode == "each":
        for axis, values in settings.matrix.items():
            yield from ({axis: value} for value in _others(settings, axis, values))
        return
    axes = {
        axis: [_AS_IT_IS, *_others(settings, axis, values)]
        for axis, values in settings.matrix.items()
    }
    for chosen in product(*axes.values()):
        changes = {a: v for a, v in zip(axes, chosen, strict=True) if v is not _AS_IT_IS}
        if changes:
            yield changes


def _others(settings: EvalSettings, axis: str, values: list[Any]) -> list[Any]:
    return [v for v in values if changed_settings(settings, {axis: v}) != base(settings)]


def base(settings: EvalSettings) -> EvalSettings:
    """The settings without their variations."""
    return changed_settings(settings, {})


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
