"""Prompts of the `jobs` world that one call answers."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from typing import Any

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.convert.tasks import unspoiled
from tooldrill.data.worlds.jobs import board as boards

BOOK = Book(
    asides=(
        "I am on call until Thursday and have slept four hours.",
        "The status page is green, do not let that fool you.",
        "Our architect is on a plane, so it falls to us.",
        "Sorry, pasting this from my phone.",
        "The post-mortem of last week is still open, but never mind that now.",
        "We had three releases yesterday; nobody can keep track.",
        "The dashboard does not load.",
    )
)


def where(draw: Draw, environment: str) -> str:
    return draw.pick(boards.SPOKEN_ENVIRONMENTS[environment])


def one_service(draw: Draw, **fixed: Any) -> dict[str, Any]:
    environment = fixed.pop("environment", draw.pick(boards.ENVIRONMENTS))
    return boards.service(draw, boards.service_name(draw), environment, **fixed)


def releases(draw: Draw, name: str, *versions: str) -> list[dict[str, str]]:
    """Releases of a service: the given ones and one more."""
    return [{"service": name, "version": v} for v in (*versions, boards.version(draw))]


@BOOK.act(
    "Put {version} of {service} on staging.",
    "{service} {version} is ready for a first look, staging please.",
    "QA wants to see {version} of {service}. Get it onto the staging environment.",
    "stage {service} @ {version}",
    "Could you roll out {service} in version {version} to staging for {name}?",
)
def stage_release(draw: Draw) -> Draft:
    return _release(draw, "staging")


@BOOK.act(
    "Ship {version} of {service} to {where}.",
    "{service} should be at {version} in {where}.",
    "The ticket is approved: {service}, version {version}, goes to {where}.",
    "{name} gave the go. Bring {where} to {version}, it is about {service}.",
    "{where}: {service} -> {version}",
)
def ship_release(draw: Draw) -> Draft:
    return _release(draw, draw.pick(("production", "development")))


def _release(draw: Draw, environment: str) -> Draft:
    row = one_service(draw, environment=environment)
    name, new = row["name"], row["version"]
    while new == row["version"]:
        new = boards.version(draw) + draw.pick(("", "", "-hotfix"))
    arguments = {"service": name, "version": new}
    if environment != "staging":
        arguments["environment"] = environment
    state = boards.board(draw, [row], releases=releases(draw, name, new))
    prompt = draw.say(
        version=new, service=name, where=where(draw, environment), name=draw.first_name()
    )
    answer = f"Done: {name} is at {new} in {environment}."
    return Draft(prompt, state, [("deploy_version", arguments)], answer, (), ("roll_back",))


@BOOK.act(
    "The last release of {service} in {where} was bad. Go back to the one before.",
    "Undo the newest {service} in {where}, please.",
    "{service} in {where}: previous version again",
    "{name} says {service} in {where} worked until the latest release. Revert that one.",
)
def undo_release(draw: Draw) -> Draft:
    return _going_back(draw, 1)


@BOOK.act(
    "{service} in {where} has to go back {steps} versions.",
    "The last {steps} releases of {service} in {where} were all broken; undo every one of them.",
    "Take {service} in {where} {steps} releases back.",
    "Please rewind {where} by {steps} versions of {service}",
)
def undo_several(draw: Draw) -> Draft:
    return _going_back(draw, draw.number(2, 4))


def _going_back(draw: Draw, steps: int) -> Draft:
    past = draw.several(lambda: boards.version(draw), steps + draw.number(0, 1))
    row = one_service(draw, past=past)
    name, environment = row["name"], row["environment"]
    arguments = {"service": name, "environment": environment}
    extra = {"steps": steps} if steps > 1 else {}
    prompt = draw.say(
        service=name,
        where=where(draw, environment),
        steps=draw.spoken_number(steps),
        name=draw.first_name(),
    )
    answer = f"Done: {name} is at {past[-steps]} again."
    calls: list[OracleCall] = [("roll_back", {**arguments, **extra})]
    return Draft(prompt, boards.board(draw, [row]), calls, answer, (), ("deploy_version",))


@BOOK.act(
    "We need {count} copies of {service} in {where}.",
    "{service} cannot cope. Let {count} of it run in {where} from now on.",
    "{where} gets {count} instances of {service}, please.",
    "Traffic is low, {count} replicas of {service} are enough for {where}.",
    "{service} x {count} in {where}",
)
def more_or_fewer(draw: Draw) -> Draft:
    row = one_service(draw, replicas=draw.number(1, 3))
    count, name, environment = draw.number(4, 30), row["name"], row["environment"]
    prompt = draw.say(count=draw.spoken_number(count), service=name, where=where(draw, environment))
    arguments = {"service": name, "environment": environment, "replicas": count}
    answer = f"Done: {count} copies of {name} run in {environment}."
    state = boards.board(draw, [row])
    return Draft(prompt, state, [("scale_service", arguments)], answer, (), ("restart_service",))


@BOOK.act(
    "Restart {service} in {where}.",
    "{service} hangs in {where}, give it a fresh start please.",
    "bounce {service} ({where})",
    "Have you tried turning {service} in {where} off and on again? Exactly that, one by one.",
)
def fresh_start(draw: Draw) -> Draft:
    return _restart(draw, {})


@BOOK.act(
    "Restart {service} in {where}, and do it hard: all copies at once.",
    "Kill every copy of {service} in {where} at the same time and start them anew.",
    "A gentle restart did not help {service} in {where}. Take them all down together this time.",
    "{service} in {where}: hard restart",
)
def hard_start(draw: Draw) -> Draft:
    return _restart(draw, {"hard": True})


def _restart(draw: Draw, extra: dict[str, Any]) -> Draft:
    row = one_service(draw, status=draw.pick(("running", "failing")))
    name, environment = row["name"], row["environment"]
    arguments = {"service": name, "environment": environment, **extra}
    prompt = draw.say(service=name, where=where(draw, environment))
    answer = f"Done: {name} was restarted in {environment}."
    state = boards.board(draw, [row])
    return Draft(prompt, state, [("restart_service", arguments)], answer, (), ("roll_back",))


@BOOK.act(
    "Which version of {service} is live in {where}?",
    "What are we running in {where} for {service} at the moment?",
    "{name} asks what {service} is at in {where}. Version only.",
    "{service} / {where} / version?",
)
@unspoiled
def current_version(draw: Draw) -> Draft:
    row = one_service(draw)
    name, environment = row["name"], row["environment"]
    prompt = draw.say(service=name, where=where(draw, environment), name=draw.first_name())
    calls: list[OracleCall] = [("show_service", {"service": name, "environment": environment})]
    answer = f"{name} is at {row['version']} in {environment}."
    return Draft(prompt, boards.board(draw, [row]), calls, answer, (row["version"],))


@BOOK.act(
    "Why does {service} misbehave in {where}? The error in its log should name a file.",
    "Somewhere in the errors of {service} ({where}) a file is blamed. Which?",
    "Look at what {service} logged as an error in {where} and give me the path it complains about.",
    "{name} needs the path of the broken file. Errors of {service}, {where}.",
)
@unspoiled
def blamed_file(draw: Draw) -> Draft:
    row, path = one_service(draw, status="failing"), f"/srv/{draw.folder()}/{draw.path('conf')}"
    lines = boards.log(
        draw, draw.number(12, 36), f"cannot parse {path} (line {draw.number(1, 99)})"
    )
    name, environment = row["name"], row["environment"]
    logs = [{"service": name, "environment": environment, "lines": lines}]
    arguments = {"service": name, "environment": environment, "level": "error"}
    prompt = draw.say(service=name, where=where(draw, environment), name=draw.first_name())
    state = boards.board(draw, [row], logs=logs)
    answer = f"The log blames {path}."
    return Draft(prompt, state, [("read_logs", arguments)], answer, (path,), ("open_runbook",))


@BOOK.act(
    "Silence {alert} until {time} on {day}.",
    "{alert} keeps waking me. I do not want to hear of it before {day}, {time}.",
    "Mute {alert}; it may ring again on {day} at {time}.",
    "{alert} quiet till {day} {time}",
    "{name} repairs it then, so {alert} need not ring before {time} on {day}.",
)
def hush(draw: Draw) -> Draft:
    return _silence(draw, None)


@BOOK.act(
    "Silence {alert} until {time} on {day}; the reason is '{reason}'.",
    "{alert} can be quiet until {day}, {time}. Write down why: {reason}",
    "Because of '{reason}' (please put that in as well) {alert} is muted until {day} {time}.",
    "{name} wants {alert} muted until {day}, {time}, and the log of alerts should give "
    "this as the reason: {reason}",
)
def hush_with_reason(draw: Draw) -> Draft:
    return _silence(draw, draw.line())


def _silence(draw: Draw, reason: str | None) -> Draft:
    row = one_service(draw)
    alert, (day, hour, minute) = boards.alert(draw, row["name"], "warning"), boards.later(draw)
    other = boards.alert(draw, row["name"], "info")
    moment = f"{day} {hour:02}:{minute:02}"
    extra = {} if reason is None else {"reason": reason}
    prompt = draw.say(
        alert=alert["id"],
        day=draw.spoken_date(day),
        time=draw.spoken_time(hour, minute),
        reason=reason,
        name=draw.first_name(),
    )
    arguments = {"alert_id": alert["id"], "until": moment, **extra}
    state = boards.board(draw, [row], alerts=[alert, other])
    answer = f"Done: {alert['id']} is silent until {moment}."
    return Draft(prompt, state, [("silence_alert", arguments)], answer)
