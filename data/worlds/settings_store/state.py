"""A store of settings as plain state: what the tools of the `config` world read and write.

No tool is defined here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from tooldrill.agent.environment import ToolError
from tooldrill.data.worlds.base import Session, own_copy

Value = str | float | bool

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_MOST_DIGITS = 1e15  # beyond this a float is no longer exact


class SettingsStore(Session):
    """Typed settings under names with dots, their values by profile.

    State: `keys` (each with `type`, `default` and, for numbers, `low`, `high`, `unit`), `profiles`
    (values set, by key), `active` (a profile), `locks` (reasons by key), `flags`, and `history`
    (changes, oldest first: the profile and what its keys held before, None for nothing).
    """

    def __init__(self, state: dict[str, Any]) -> None:
        self._state: dict[str, Any] = own_copy(state)
        self._keys: dict[str, dict[str, Any]] = self._state["keys"]
        self._profiles: dict[str, dict[str, Value]] = self._state["profiles"]
        self._locks: dict[str, str] = self._state["locks"]
        self._history: list[dict[str, Any]] = self._state["history"]

    def snapshot(self) -> dict[str, Any]:
        """What is set, locked and rolled out; not how it came about."""
        kept = {name: value for name, value in self._state.items() if name != "history"}
        return own_copy(kept)

    def _kind(self, key: str) -> dict[str, Any]:
        if key not in self._keys:
            raise ToolError(f"no setting {key}")
        return self._keys[key]

    def _profile(self, name: str) -> str:
        found = name.strip() or str(self._state["active"])
        if found not in self._profiles:
            raise ToolError(f"no profile {found}; there are {', '.join(self._profiles)}")
        return found

    def _under(self, prefix: str) -> list[str]:
        return sorted(key for key in self._keys if lies_under(key, prefix))

    def _value(self, key: str, profile: str) -> Value:
        default: Value = self._keys[key]["default"]
        return self._profiles[profile].get(key, default)

    def _need_unlocked(self, keys: list[str]) -> None:
        for key in keys:
            if key in self._locks:
                why = f": {self._locks[key]}" if self._locks[key] else ""
                raise ToolError(f"{key} is locked{why}")

    def _store(self, key: str, value: Value, profile: str) -> str:
        name, value = self._profile(profile), self._checked(key, value)
        self._need_unlocked([key])
        self._change(name, {key: value})
        return f"{key} = {shown(value)} (set in {name})"

    def _checked(self, key: str, value: Value) -> Value:
        """The value as it is stored, if the setting can hold it."""
        kind = self._kind(key)
        if kind["type"] != type_of(value):
            raise ToolError(f"{key} holds a {kind['type']}, not a {type_of(value)}")
        if isinstance(value, str):
            if "\n" in value or not value.strip():
                raise ToolError("a text value is one line and not empty")
            return value.strip()
        if isinstance(value, bool):
            return value
        if not (kind["low"] <= value <= kind["high"] and abs(value) < _MOST_DIGITS):
            raise ToolError(f"{key} must be between {kind['low']} and {kind['high']}")
        return int(value) if value == int(value) else value

    def _change(self, profile: str, values: Mapping[str, Value | None]) -> None:
        """Sets the values (None takes one away) as one change that can be undone."""
        before = {k: self._profiles[profile].get(k) for k in values}
        self._put(profile, values)
        if before != values:
            self._history.append({"profile": profile, "before": before})

    def _put(self, profile: str, values: Mapping[str, Value | None]) -> None:
        for key, value in values.items():
            if value is None:
                self._profiles[profile].pop(key, None)
            else:
                self._profiles[profile][key] = value

    def _rename(self, key: str, new_key: str) -> None:
        if not _KEY.fullmatch(new_key):
            raise ToolError(f"not a name for a setting: {new_key}")
        if new_key in self._keys:
            raise ToolError(f"there is a setting {new_key} already")
        befores = [change["before"] for change in self._history]
        for table in (self._keys, *self._profiles.values(), *befores):
            if key in table:
                table[new_key] = table.pop(key)

    def _read_lines(self, text: str) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for number, line in enumerate(filter(str.strip, text.splitlines()), 1):
            key, equals, written = (part.strip() for part in line.partition("="))
            if not equals:
                raise ToolError(f"line {number} has no `=`: {line}")
            values[key] = self._checked(key, _read(written, self._kind(key)["type"]))
        if not values:
            raise ToolError("`text` has no lines")
        return values


def lies_under(key: str, prefix: str) -> bool:
    """Whether the key begins with the parts in `prefix`: `app.cache` holds not `app.cached`."""
    part = prefix.strip().rstrip(".")
    return not part or key == part or key.startswith(f"{part}.")


def type_of(value: Value) -> str:
    """`number`, `text` or `switch`."""
    if isinstance(value, bool):
        return "switch"
    return "text" if isinstance(value, str) else "number"


def shown(value: Value) -> str:
    """A value as the tools write it; `import_lines` reads it back."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _read(written: str, type_name: str) -> Value:
    """The value in a line; one of the wrong type stays text, which is then refused."""
    if type_name == "switch" and written.lower() in ("on", "off", "true", "false"):
        return written.lower() in ("on", "true")
    if type_name == "number":
        try:
            number = float(written)
        except ValueError:
            return written
        return number if math.isfinite(number) else written
    return written
