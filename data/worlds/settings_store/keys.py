"""Random stores for the `config` world: names of settings, values that fit them, profiles."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tooldrill.data.values.names import Draw
from tooldrill.data.values.words import word_list

Kind = dict[str, Any]

# What a number counts, its unit, and the range it may have.
_NUMBERS = (
    ("timeout", "seconds", 1, 900),
    ("grace_period", "seconds", 0, 7200),
    ("lifetime", "minutes", 1, 10080),
    ("idle_limit", "minutes", 1, 1440),
    ("upload_size", "megabytes", 1, 4096),
    ("pool_size", "connections", 1, 512),
    ("retry_count", "attempts", 0, 25),
    ("backoff", "milliseconds", 10, 60000),
    ("page_length", "entries", 5, 500),
    ("quota", "requests per hour", 10, 100000),
    ("threshold", "percent", 0, 100),
    ("log_age", "days", 1, 3650),
    ("worker_number", "processes", 1, 128),
)
# What a text setting is about, and the form of its value: see `text_value`.
_TEXTS = {
    "endpoint": "url",
    "webhook": "url",
    "sender_address": "mail",
    "owner": "mail",
    "log_file": "path",
    "socket": "path",
    "region": "place",
    "bucket": "place",
    "release": "version",
    "token_name": "id",
    "theme": "name",
    "banner": "name",
}
_SWITCHES = word_list(
    """
    enabled verbose_log guest_access keep_alive strict_mode compression auto_renew telemetry
    read_only maintenance dark_mode two_factor audit_trail signup
    """
)


class Store:
    """A store in the making.

    Args:
        draw: where everything random comes from.
        others: settings beside those that a task is about.
    """

    def __init__(self, draw: Draw, others: int = 4) -> None:
        self._draw = draw
        self.keys: dict[str, Kind] = {}
        self._forms: dict[str, str] = {}
        self.profiles: dict[str, dict[str, Any]] = {
            name: {} for name in draw.several(lambda: profile_name(draw), draw.number(2, 4))
        }
        self.active = draw.pick(list(self.profiles))
        self.locks: dict[str, str] = {}
        self.flags = {
            flag_name(draw): {"percent": draw.number(0, 9), "audience": "testers"} for _ in range(2)
        }
        self.history: list[dict[str, Any]] = []
        for _ in range(others):
            key = draw.pick((self.number, self.text, self.switch))(section(draw))
            if draw.chance(0.4):
                self.set(key, self.value(key))

    def number(self, part: str, unit: str = "") -> str:
        """A new numeric setting below a section, in a unit if one is asked for; its key."""
        kinds = [kind for kind in _NUMBERS if unit in ("", kind[1])]
        leaf, of, low, high = self._draw.pick(kinds)
        default = self._draw.number(low, min(high, low + 40))
        return self._new(part, leaf, "number", default=default, low=low, high=high, unit=of)

    def text(self, part: str, like: str = "") -> str:
        """A new text setting below a section, which can hold what another can; its key."""
        forms = [self._forms[like]] if like else list(_TEXTS.values())
        leaf = self._draw.pick([leaf for leaf, form in _TEXTS.items() if form in forms])
        key = self._new(part, leaf, "text", default=text_value(self._draw, _TEXTS[leaf]))
        self._forms[key] = _TEXTS[leaf]
        return key

    def switch(self, part: str) -> str:
        """A new yes-or-no setting below a section; its key."""
        return self._new(part, self._draw.pick(_SWITCHES), "switch", default=self._draw.chance(0.5))

    def value(self, key: str) -> Any:
        """A value that the setting can hold and does not hold in any profile."""
        draw, kind = self._draw, self.keys[key]
        held = [kind["default"], *(values.get(key) for values in self.profiles.values())]
        makers: dict[str, Callable[[], Any]] = {
            "number": lambda: draw.number(kind["low"], kind["high"]),
            "text": lambda: text_value(draw, self._forms[key]),
            "switch": lambda: not kind["default"],
        }
        while (value := makers[kind["type"]]()) in held and kind["type"] != "switch":
            continue
        return value

    def set(self, key: str, value: Any, profile: str = "") -> None:
        """Sets a value, leaving a trace in the history."""
        name = profile or self.active
        before = {key: self.profiles[name].get(key)}
        self.profiles[name][key] = value
        self.history.append({"profile": name, "before": before})

    def section(self) -> str:
        """A part of the store in which nothing lies yet."""
        while True:
            part = section(self._draw)
            if not any(key.startswith(f"{part}.") for key in self.keys):
                return part

    def other_profile(self) -> str:
        """A profile that is not the active one."""
        return self._draw.pick([name for name in self.profiles if name != self.active])

    @property
    def state(self) -> dict[str, Any]:
        """The store as plain JSON."""
        return {
            "keys": dict(sorted(self.keys.items())),
            "profiles": self.profiles,
            "active": self.active,
            "locks": self.locks,
            "flags": self.flags,
            "history": self.history,
        }

    def _new(self, part: str, leaf: str, type_name: str, **more: Any) -> str:
        while (key := f"{part}.{_styled(self._draw, leaf)}") in self.keys:
            continue
        self.keys[key] = {"type": type_name, **more}
        return key


def section(draw: Draw) -> str:
    """A part of the store, such as `billing.eu-north` or `svc_gruber`."""
    forms = (
        draw.word(),
        f"{draw.word()}.{draw.word()}",
        f"{draw.pick(('svc', 'app', 'job', 'db'))}{draw.pick('_-')}{_slug(draw.brand())}",
        f"{_slug(draw.city())}-{draw.number(1, 99):02}",
        f"{draw.topic()}.{_slug(draw.brand())}.v{draw.number(1, 9)}",
        f"{draw.word()}{draw.word().capitalize()}",
    )
    return draw.pick(forms)


def profile_name(draw: Draw) -> str:
    """A profile, such as `staging` or `laptop-maria`."""
    forms = (
        draw.pick(("production", "staging", "testing", "nightly", "fallback", "demo")),
        f"{draw.pick(('laptop', 'desk', 'ci', 'edge'))}-{_slug(draw.first_name())}",
        f"{_slug(draw.city())}{draw.pick('_-')}{draw.pick(('prod', 'test', 'blue', 'green'))}",
        f"customer_{_slug(draw.brand())}",
    )
    return draw.pick(forms)


def flag_name(draw: Draw) -> str:
    """A feature flag, such as `new-checkout-2029`."""
    joiner = draw.pick("-_")
    words = [draw.pick(("new", "try", "beta", "faster", "big")), draw.topic(), draw.word()]
    return joiner.join([*words, str(draw.number(2, 2031))] if draw.chance(0.4) else words)


def text_value(draw: Draw, form: str) -> str:
    """A value that a text setting could hold; none with spaces.

    Args:
        form: `url`, `mail`, `path`, `place`, `version`, `id` or `name`.
    """
    host = f"{_slug(draw.brand())}.example"
    makers: dict[str, Callable[[], str]] = {
        "url": lambda: f"https://{draw.word()}.{host}/{draw.word()}/v{draw.number(1, 9)}",
        "mail": lambda: draw.pick(
            (f"{draw.word()}+{draw.number(10, 99)}@{host}", draw.tagged_mail())
        ),
        "path": lambda: f"/var/{draw.word()}/{draw.file_name('log')}",
        "place": lambda: f"{_slug(draw.city())}-{draw.number(1, 9)}{draw.pick('abc')}",
        "version": draw.version,
        "id": lambda: draw.pick((draw.long_id(), draw.product_code())),
        "name": lambda: f"{draw.topic()}_{draw.brand()}",
    }
    return makers[form]()


def _styled(draw: Draw, leaf: str) -> str:
    """The leaf behind a word, in one of the usual ways of writing names."""
    words = [*([draw.word()] if draw.chance(0.7) else []), *leaf.split("_")]
    joined = ("_".join(words), "-".join(words), words[0] + "".join(w.title() for w in words[1:]))
    return draw.pick(joined) + (draw.pick(("", "2", "_v3")) if draw.chance(0.3) else "")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z]+", "-", name.lower()).strip("-")
