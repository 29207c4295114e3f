"""The `config` world: a store of typed settings with profiles, locks, feature flags and undo.

The tools a model is offered. What they work on is in `settings_store_state`, how a store is drawn
in `settings_store_keys`.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from tooldrill.agent.environment import ToolError
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.settings_store import chains, lookups, restraint, tasks
from tooldrill.data.worlds.settings_store.state import SettingsStore, lies_under, shown


class ConfigSession(SettingsStore):
    """One store."""

    tool_names: ClassVar[tuple[str, ...]] = (
        "get_setting",
        "list_settings",
        "set_number",
        "set_text",
        "set_switch",
        "unset_setting",
        "compare_profiles",
        "copy_settings",
        "rename_key",
        "lock_key",
        "unlock_key",
        "undo_changes",
        "roll_out_flag",
        "import_lines",
    )

    def get_setting(self, key: str, profile: str = "", with_details: bool = False) -> str:
        """Show the value of a setting.

        Fails when there is no such key or profile. A key without a value has its default.

        Args:
            key: Full name of the setting.
            profile: Which profile; the active one when empty.
            with_details: Include type, unit, range, default and lock.
        """
        kind, name = self._kind(key), self._profile(profile)
        origin = f"set in {name}" if key in self._profiles[name] else "default"
        line = f"{key} = {shown(self._value(key, name))} ({origin})"
        if not with_details:
            return line
        parts = [line, kind["type"], f"default {shown(kind['default'])}"]
        if kind["type"] == "number":
            parts += [f"from {kind['low']} to {kind['high']}", f"in {kind['unit']}"]
        if key in self._locks:
            parts.append(f"locked: {self._locks[key] or 'no reason given'}")
        return "; ".join(parts)

    def list_settings(
        self, prefix: str = "", profile: str = "", changed_only: bool = False, limit: int = 20
    ) -> str:
        """List settings as lines `key = value`, by name.

        Args:
            prefix: First parts of the keys, such as `app.cache`; all keys when empty.
            profile: Which profile; the active one when empty.
            changed_only: Leave out what has its default value.
            limit: How many to show at most.
        """
        name = self._profile(profile)
        keys = [k for k in self._under(prefix) if k in self._profiles[name] or not changed_only]
        lines = [f"{k} = {shown(self._value(k, name))}" for k in keys[: max(limit, 0)]]
        return "\n".join(lines) or "no settings"

    def set_number(self, key: str, value: float, profile: str = "") -> str:
        """Give a numeric setting a value, in the unit of that setting.

        Fails out of its range, for a locked key, and for settings that hold text or a switch.

        Args:
            key: Full name of the setting.
            value: The number.
            profile: Which profile; the active one when empty.
        """
        return self._store(key, value, profile)

    def set_text(self, key: str, value: str, profile: str = "") -> str:
        """Give a text setting a value.

        Fails for a locked key, and for settings that hold a number or a switch.

        Args:
            key: Full name of the setting.
            value: The text.
            profile: Which profile; the active one when empty.
        """
        return self._store(key, value, profile)

    def set_switch(self, key: str, on: bool, profile: str = "") -> str:
        """Turn a yes-or-no setting on or off.

        Fails for a locked key, and for settings that hold a number or text.

        Args:
            key: Full name of the setting.
            on: Whether it is on.
            profile: Which profile; the active one when empty.
        """
        return self._store(key, on, profile)

    def unset_setting(self, key: str, profile: str = "") -> str:
        """Take a value away, so that the default holds again.

        Fails when there is none to take away, and for a locked key.

        Args:
            key: Full name of the setting.
            profile: Which profile; the active one when empty.
        """
        kind, name = self._kind(key), self._profile(profile)
        if key not in self._profiles[name]:
            raise ToolError(f"{key} is not set in {name}; it has its default already")
        self._need_unlocked([key])
        self._change(name, {key: None})
        return f"{key} = {shown(kind['default'])} (default)"

    def compare_profiles(self, left: str, right: str, prefix: str = "") -> str:
        """Show where two profiles differ, as lines `key: left value | right value`.

        Args:
            left: Name of the one profile.
            right: Name of the other profile.
            prefix: First parts of the keys, such as `app.cache`; all keys when empty.
        """
        one, two = self._profile(left), self._profile(right)
        pairs = [(k, self._value(k, one), self._value(k, two)) for k in self._under(prefix)]
        lines = [f"{k}: {shown(a)} | {shown(b)}" for k, a, b in pairs if a != b]
        return "\n".join(lines) or "no differences"

    def copy_settings(
        self, source: str, target: str, prefix: str = "", overwrite: bool = False
    ) -> str:
        """Copy the values set in one profile into another.

        Fails when one of the keys is locked, or when there is nothing to copy.

        Args:
            source: Profile to copy from.
            target: Profile to copy into.
            prefix: First parts of the keys, such as `app.cache`; all keys when empty.
            overwrite: Replace values that the target has set otherwise.
        """
        one, two = self._profile(source), self._profile(target)
        if one == two:
            raise ToolError("`source` and `target` are the same profile")
        there = self._profiles[two]
        copied = {
            k: v
            for k, v in self._profiles[one].items()
            if lies_under(k, prefix) and there.get(k) != v and (overwrite or k not in there)
        }
        if not copied:
            raise ToolError(f"nothing to copy from {one} to {two}")
        self._need_unlocked(list(copied))
        self._change(two, copied)
        return f"copied to {two}: {', '.join(sorted(copied))}"

    def rename_key(self, key: str, new_key: str) -> str:
        """Give a setting another name, in every profile.

        Fails when the new name is taken or not well-formed, and for a locked key.

        Args:
            key: Full name of the setting.
            new_key: Full name it gets.
        """
        self._kind(key)
        self._need_unlocked([key])
        self._rename(key, new_key.strip())
        return f"{key} -> {new_key.strip()}"

    def lock_key(self, key: str, reason: str = "") -> str:
        """Protect a setting from changes in all profiles.

        Fails when it is locked already.

        Args:
            key: Full name of the setting.
            reason: Why, for whoever runs into it.
        """
        self._kind(key)
        self._need_unlocked([key])
        self._locks[key] = reason.strip()
        return f"{key} is locked"

    def unlock_key(self, key: str) -> str:
        """Let a protected setting be changed again.

        Fails when it is not locked.

        Args:
            key: Full name of the setting.
        """
        self._kind(key)
        if key not in self._locks:
            raise ToolError(f"{key} is not locked")
        del self._locks[key]
        return f"{key} is unlocked"

    def undo_changes(self, steps: int = 1) -> str:
        """Take back the latest changes of values, newest first.

        Fails when there are not as many. Renaming and locking are not undone.

        Args:
            steps: How many changes.
        """
        if not 1 <= steps <= len(self._history):
            raise ToolError(f"`steps` must be between 1 and {len(self._history)}")
        back = self._history[-steps:][::-1]
        self._need_unlocked([key for change in back for key in change["before"]])
        for change in back:
            self._put(change["profile"], change["before"])
        del self._history[-steps:]
        keys = (f"{k} in {c['profile']}" for c in back for k in c["before"])
        return f"taken back: {', '.join(keys)}"

    def roll_out_flag(
        self,
        flag: str,
        percent: int = 100,
        audience: Literal["everyone", "staff", "testers"] = "everyone",
    ) -> str:
        """Decide who gets a new feature. 0 percent turns it off.

        Fails when there is no such flag.

        Args:
            flag: Name of the feature flag.
            percent: Share of the audience that gets it.
            audience: Among whom.
        """
        if flag not in self._state["flags"]:
            raise ToolError(f"no flag {flag}; there are {', '.join(sorted(self._state['flags']))}")
        if not 0 <= percent <= 100:
            raise ToolError("`percent` must be between 0 and 100")
        self._state["flags"][flag] = {"percent": percent, "audience": audience}
        return f"{flag}: {percent}% of {audience}"

    def import_lines(self, text: str, profile: str = "", check_only: bool = False) -> str:
        """Set many values from lines `key = value`; all of them or, after an error, none.

        Args:
            text: The lines.
            profile: Which profile; the active one when empty.
            check_only: Look for errors without changing anything.
        """
        values, name = self._read_lines(text), self._profile(profile)
        self._need_unlocked(list(values))
        if check_only:
            return f"{len(values)} lines are valid"
        self._change(name, values)
        return f"{len(values)} values set in {name}"


class ConfigWorld(World):
    """A store of settings."""

    name = "config"
    split = Split.TRAIN
    session_type = ConfigSession
    book = tasks.BOOK + lookups.BOOK + chains.BOOK + restraint.BOOK
