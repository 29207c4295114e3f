"""Deployment boards of the `jobs` world, drawn: services, jobs, alerts, logs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from tooldrill.data.values.names import Draw

ENVIRONMENTS = ("development", "staging", "production")
# How people call an environment; every one of them is plain without a guess.
SPOKEN_ENVIRONMENTS = {
    "development": ("development", "the development environment", "development"),
    "staging": ("staging", "the staging environment"),
    "production": ("production", "the production environment", "live production"),
}
DAYS = {
    "daily": ("every day", "daily", "each and every day"),
    "weekdays": ("on weekdays", "Monday to Friday", "every working day"),
    "weekends": ("on weekends", "Saturdays and Sundays only"),
    "mondays": ("on Mondays", "every Monday"),
    "tuesdays": ("on Tuesdays", "every Tuesday"),
    "wednesdays": ("on Wednesdays", "every Wednesday"),
    "thursdays": ("on Thursdays", "every Thursday"),
    "fridays": ("on Fridays", "every Friday"),
    "saturdays": ("on Saturdays", "every Saturday"),
    "sundays": ("on Sundays", "every Sunday"),
}
_ROLES = ("api", "worker", "gateway", "web", "sync", "indexer", "relay", "cache", "reconciler")
_REGIONS = ("eu", "us-east-1", "apac", "ca2", "emea", "latam")
_VERBS = ("export", "rebuild", "purge", "reconcile", "backup", "mail", "import", "rotate", "digest")


def service_name(draw: Draw) -> str:
    """`ledger-api`, or one that is easily misspelt: `us-east-1-okonkwo-roster-reconciler`."""
    core = f"{draw.topic()}-{draw.pick(_ROLES)}"
    makers: tuple[Callable[[], str], ...] = (
        lambda: core,
        lambda: f"{draw.pick(_REGIONS)}-{draw.brand().lower()}-{core}",
        lambda: f"{draw.word()}_{core.replace('-', '_')}{draw.number(2, 9)}",
        lambda: f"{draw.brand()}{draw.pick(_ROLES).capitalize()}.{draw.word()}",
    )
    return draw.pick(makers)()


def job_name(draw: Draw) -> str:
    """`nightly-export-guests`, `rotate_keys_Haley_07` and the like."""
    verb, topic = draw.pick(_VERBS), draw.topic()
    makers: tuple[Callable[[], str], ...] = (
        lambda: f"{verb}-{topic}",
        lambda: f"{verb}_{topic}_{draw.brand()}_{draw.number(1, 99):02}",
        lambda: f"{draw.pick(('nightly', 'hourly', 'eod', 'q3'))}-{verb}-{topic}-{draw.word()}",
        lambda: f"{draw.pick(_REGIONS)}/{verb}.{topic}",
    )
    return draw.pick(makers)()


def version(draw: Draw) -> str:
    """`4.12.0`, `2026.03.1`, `1.9.0-rc.2`, `7f3c91a`."""
    plain = f"{draw.number(0, 14)}.{draw.number(0, 30)}.{draw.number(0, 20)}"
    makers: tuple[Callable[[], str], ...] = (
        lambda: plain,
        draw.version,
        lambda: f"{plain}-rc.{draw.number(1, 9)}",
        lambda: f"20{draw.number(20, 27)}.{draw.number(1, 12):02}.{draw.number(1, 9)}",
        lambda: f"{draw.rng.getrandbits(28):07x}",
    )
    return draw.pick(makers)()


def alert_code(draw: Draw) -> str:
    """`ALT-20931`, `prd/4f-77` and the like."""
    makers: tuple[Callable[[], str], ...] = (
        draw.long_id,
        lambda: f"ALT-{draw.number(10000, 99999)}",
        lambda: f"{draw.pick(('prd', 'stg'))}/{draw.rng.getrandbits(20):05x}-{draw.number(1, 99)}",
        lambda: f"{draw.pick('ABCDEFG')}{draw.number(1, 9)}.{draw.number(100, 999)}.{draw.word()}",
    )
    return draw.pick(makers)()


def service(draw: Draw, name: str, environment: str, **fixed: Any) -> dict[str, Any]:
    """A row of `services`; `fixed` holds whatever is drawn."""
    versions = draw.several(lambda: version(draw), 4)
    row = {
        "name": name,
        "environment": environment,
        "version": versions[0],
        "replicas": draw.number(1, 9),
        "status": "running",
        "past": versions[1 : draw.number(2, 4)],
        "restarts": draw.number(0, 6),
    }
    return {**row, **fixed}


def job(draw: Draw, name: str, **fixed: Any) -> dict[str, Any]:
    """A row of `jobs`."""
    row = {
        "name": name,
        "days": draw.pick(list(DAYS)),
        "time": f"{draw.number(0, 23):02}:{draw.pick((0, 5, 10, 20, 25, 40, 50)):02}",
        "state": "active",
        "runs": draw.number(3, 900),
    }
    return {**row, **fixed}


def alert(draw: Draw, about: str, severity: str, text: str = "") -> dict[str, Any]:
    """A row of `alerts`."""
    text = text or draw.pick(("queue is long", "disk is filling", "slow replies", "5xx rate rises"))
    return {
        "id": alert_code(draw),
        "severity": severity,
        "service": about,
        "text": text,
        "silenced_until": "",
        "reason": "",
    }


def board(draw: Draw, services: list[dict[str, Any]], **tables: Any) -> dict[str, Any]:
    """A state around the given services: neighbours are added, so that there is a choice."""
    names = {row["name"] for row in services}
    others: list[dict[str, Any]] = []
    while len(others) < 3:
        name = service_name(draw)
        if name not in names:
            names.add(name)
            rest = {"status": "stopped", "replicas": 0} if draw.chance(0.2) else {}
            others.append(service(draw, name, draw.pick(ENVIRONMENTS), **rest))
    free = [e for e in ENVIRONMENTS if e not in {row["environment"] for row in services}]
    tables.setdefault("jobs", [job(draw, job_name(draw))])
    return {
        "now": f"{today(draw)} {draw.number(6, 22):02}:{draw.number(0, 59):02}",
        "frozen": free[:1] if draw.chance(0.3) else [],
        "services": draw.sample(services + others, len(services) + 3),
        **tables,
    }


def today(draw: Draw) -> date:
    """A day before every day that `later` gives."""
    return draw.day(2023, 2025)


def later(draw: Draw) -> tuple[date, int, int]:
    """A day, hour and minute that have not passed on any board."""
    day = date(2026, 1, 1) + timedelta(days=draw.number(0, 700))
    return day, draw.number(5, 22), draw.pick((0, 15, 30, 45))


def log(draw: Draw, lines: int, telling: str, level: str = "ERROR") -> list[str]:
    """Log lines of which one, at a random place, says `telling`; the others are noise."""
    minute = draw.number(0, 400)
    at = draw.number(2, lines - 2)
    made = []
    for number in range(lines):
        minute += draw.number(0, 4)
        kind, text = (level, telling) if number == at else _noise(draw)
        made.append(f"{minute // 60 % 24:02}:{minute % 60:02} {kind} {text}")
    return made


def _noise(draw: Draw) -> tuple[str, str]:
    number = draw.number(1, 999)
    return draw.pick(
        (
            ("INFO", f"GET /{draw.topic()}/{number} 200 in {number % 90 + 3} ms"),
            ("INFO", f"POST /{draw.topic()} 201 in {number % 300 + 8} ms"),
            ("INFO", f"took {number} messages from queue {draw.topic()}"),
            ("INFO", f"health check ok, {number % 40} connections"),
            ("WARNING", f"retry {number % 4 + 1} of 5 for shard {number}"),
            ("WARNING", f"slow query on table {draw.topic()}: {number + 400} ms"),
            ("INFO", f"config reloaded, generation {number}"),
        )
    )
