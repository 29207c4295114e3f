"""The `jobs` world: exact answers and refusals, states that show what was achieved."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from world_calls import assert_answers_all, calls_of

from tooldrill.agent.call import Call
from tooldrill.data.worlds.catalog import get_world
from tooldrill.data.worlds.jobs.session import JobsSession

WORLD = get_world("jobs")
API = {"service": "eu-ledger-api", "environment": "production"}
STATE: dict[str, Any] = {
    "now": "2026-03-04 09:20",
    "frozen": ["staging"],
    "services": [
        {
            "name": "eu-ledger-api",
            "environment": "production",
            "version": "2.1.0",
            "replicas": 3,
            "status": "failing",
            "past": ["1.9.0", "2.0.0"],
            "restarts": 1,
        },
        {
            "name": "eu-ledger-api",
            "environment": "staging",
            "version": "2.1.0",
            "replicas": 1,
            "status": "running",
            "past": [],
            "restarts": 0,
        },
        {
            "name": "roster_web2",
            "environment": "production",
            "version": "7f3c91a",
            "replicas": 0,
            "status": "stopped",
            "past": [],
            "restarts": 0,
        },
    ],
    "releases": [
        {"service": "eu-ledger-api", "version": "2.1.0"},
        {"service": "eu-ledger-api", "version": "2.2.0-rc.1"},
    ],
    "jobs": [
        {"name": "eod/purge.x", "days": "daily", "time": "02:10", "state": "paused", "runs": 4}
    ],
    "alerts": [
        {
            "id": "prd/1-7",
            "severity": "critical",
            "service": "eu-ledger-api",
            "text": "slow",
            "silenced_until": "",
            "reason": "",
        }
    ],
    "logs": [
        {
            "service": "eu-ledger-api",
            "environment": "production",
            "lines": ["00:01 INFO fine", "00:02 ERROR lost", "00:03 WARNING slow", "00:04 INFO up"],
        }
    ],
    "runbooks": [{"topic": "hot shard", "text": "1. wait."}],
}


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        (
            "list_services",
            {"environment": "production", "status": "failing"},
            "eu-ledger-api 2.1.0 x3 (failing)",
        ),
        ("list_services", {"environment": "development"}, "no services"),
        (
            "show_service",
            API,
            "eu-ledger-api in production: version 2.1.0, failing, 3 replicas, restarted 1 times; "
            "before: 2.0.0, 1.9.0",
        ),
        ("read_logs", {**API, "level": "error"}, "00:02 ERROR lost"),
        ("read_logs", {**API, "last_lines": 2}, "00:03 WARNING slow\n00:04 INFO up"),
        ("show_job", {"job": "eod/purge.x"}, "eod/purge.x: daily at 02:10, paused, 4 runs so far"),
        ("list_alerts", {"severity": "critical"}, "prd/1-7 [critical] eu-ledger-api: slow"),
        ("list_alerts", {"service": "roster_web2"}, "no alerts"),
        ("open_runbook", {"topic": "hot shard"}, "1. wait."),
    ],
)
def test_reading(tool: str, arguments: dict[str, Any], text: str) -> None:
    session = JobsSession(STATE)
    assert session.call(tool, arguments) == (text, False)
    assert session.snapshot() == JobsSession(STATE).snapshot()


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        (
            "show_service",
            {"service": "roster_web2", "environment": "staging"},
            "no service roster_web2 in staging; it runs in production",
        ),
        (
            "deploy_version",
            {"service": "eu-ledger-api", "version": "9", "environment": "production"},
            "eu-ledger-api has no release 9; released: 2.1.0, 2.2.0-rc.1",
        ),
        (
            "deploy_version",
            {"service": "eu-ledger-api", "version": "2.1.0", "environment": "production"},
            "eu-ledger-api in production is at 2.1.0 already",
        ),
        (
            "deploy_version",
            {"service": "eu-ledger-api", "version": "2.2.0-rc.1"},
            "staging is frozen: nothing may be changed there now",
        ),
        ("roll_back", {**API, "steps": 3}, "only 2 earlier versions of eu-ledger-api, not 3"),
        (
            "restart_service",
            {"service": "roster_web2", "environment": "production"},
            "roster_web2 in production is stopped: scale it up first",
        ),
        ("run_job", {"job": "eod/purge.x"}, "eod/purge.x is paused: make it active first"),
        (
            "set_job_state",
            {"job": "eod/purge.x", "state": "paused"},
            "eod/purge.x is paused already",
        ),
        ("show_job", {"job": "purge"}, "no job purge"),
        ("silence_alert", {"alert_id": "x", "until": "2026-05-01 10:00"}, "no alert x"),
        (
            "silence_alert",
            {"alert_id": "prd/1-7", "until": "2026-03-04 09:20"},
            "`until` (2026-03-04 09:20) has passed: it is 2026-03-04 09:20",
        ),
        (
            "silence_alert",
            {"alert_id": "prd/1-7", "until": "tomorrow"},
            "not a moment (YYYY-MM-DD HH:MM): tomorrow",
        ),
        ("open_runbook", {"topic": "cold shard"}, "no runbook cold shard; there is hot shard"),
    ],
)
def test_errors_change_nothing(tool: str, arguments: dict[str, Any], error: str) -> None:
    session = JobsSession(STATE)
    assert session.call(tool, arguments) == (f"ERROR: {error}", True)
    assert session.snapshot() == JobsSession(STATE).snapshot()


def after(*made: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    session = JobsSession(STATE)
    for name, arguments in made:
        assert not session.call(name, arguments).error
    return session.snapshot()


def live(state: dict[str, Any]) -> dict[str, Any]:
    return dict(next(r for r in state["services"] if r["environment"] == "production"))


def test_going_back_undoes_a_deployment() -> None:
    new = {"service": "eu-ledger-api", "version": "2.2.0-rc.1", "environment": "production"}
    deployed = after(("deploy_version", new))
    assert live(deployed)["version"] == "2.2.0-rc.1"
    back = live(after(("deploy_version", new), ("roll_back", {**API})))
    assert (back["version"], back["past"]) == ("2.1.0", ["1.9.0", "2.0.0"])
    assert live(after(("roll_back", {**API, "steps": 2})))["past"] == []


def test_no_replicas_are_a_stopped_service_and_some_start_it_again() -> None:
    none = ("scale_service", {**API, "replicas": 0})
    assert live(after(none))["status"] == "stopped"
    assert live(after(none, ("scale_service", {**API, "replicas": 3})))["status"] == "running"


def test_snapshots_are_equal_iff_the_same_was_achieved() -> None:
    silence = ("silence_alert", {"alert_id": "prd/1-7", "until": "2026-05-01 10:00"})
    scale = ("scale_service", {**API, "replicas": 9})
    assert after(silence, scale) == after(scale, silence)
    assert after(scale) == after(("scale_service", {**API, "replicas": 4}), scale)
    assert after(silence) != after()
    later = {"alert_id": "prd/1-7", "until": "2026-05-01 10:01"}
    assert after(silence) != after(("silence_alert", later))
    assert after(("restart_service", API)) != after(("restart_service", {**API, "hard": True}))


@settings(max_examples=300, deadline=None)
@given(calls=calls_of(WORLD, ["eu-ledger-api", "2.2.0-rc.1", "eod/purge.x", "prd/1-7"]))
def test_any_valid_call_gets_an_answer(calls: list[Call]) -> None:
    assert_answers_all(WORLD, STATE, calls)


def test_both_outcomes_of_a_condition_are_drawn() -> None:
    for name in ("only_if_paused", "at_least"):
        template = next(t for t in WORLD.book.templates if t.name == name)
        lengths = {len(template.draft(random.Random(seed)).oracle) for seed in range(40)}
        assert len(lengths) == 2
