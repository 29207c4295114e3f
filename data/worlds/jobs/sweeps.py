"""Prompts of the `jobs` world about all services of an environment that are in some condition."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.jobs import board as boards
from tooldrill.data.worlds.jobs.tasks import where

BOOK = Book()


@BOOK.act(
    "Every service that fails in {where} needs a restart, and what rings about it has to be silent "
    "until {time} on {day}. I do not know which ones they are.",
    "{where}: look what fails, bounce each of those, then mute all alerts about them till {day}, "
    "{time}.",
    "{name} says several things fail in {where}. Restart them all, look up the alerts of each and "
    "keep those quiet until {day} {time}.",
)
def restart_all_failing(draw: Draw) -> Draft:
    environment, count = draw.pick(boards.ENVIRONMENTS), 2
    names = sorted(draw.several(lambda: boards.service_name(draw), count))
    rows = [boards.service(draw, name, environment, status="failing") for name in names]
    alerts = [boards.alert(draw, name, draw.pick(("warning", "critical"))) for name in names]
    (day, hour, minute) = boards.later(draw)
    until = f"{day} {hour:02}:{minute:02}"
    calls: list[OracleCall] = [
        ("list_services", {"environment": environment, "status": "failing"}),
        *(("restart_service", {"service": name, "environment": environment}) for name in names),
    ]
    for alert in alerts:
        calls.append(("list_alerts", {"service": alert["service"]}))
        calls.append(("silence_alert", {"alert_id": alert["id"], "until": until}))
    state = boards.board(
        draw, rows, alerts=[*alerts, boards.alert(draw, "somebody-else", "critical")]
    )
    prompt = draw.say(
        where=where(draw, environment),
        day=draw.spoken_date(day),
        time=draw.spoken_time(hour, minute),
        name=draw.first_name(),
    )
    answer = f"Done: {' and '.join(names)} were restarted, their alerts are silent until {until}."
    return Draft(prompt, state, calls, answer)


@BOOK.act(
    "Nothing in {where} may run in fewer than {count} copies. See what does, and bring each of "
    "those up to {count}.",
    "List what we have in {where}; whatever is below {count} replicas gets {count}, the others "
    "keep what they have.",
    "{count} copies at least, for everything in {where}! Only raise what has fewer.",
)
def none_below(draw: Draw) -> Draft:
    environment, low, floor = draw.pick(boards.ENVIRONMENTS), draw.number(2, 6), draw.number(4, 9)
    names = draw.several(lambda: boards.service_name(draw), low + 1)
    rows = [
        boards.service(draw, name, environment, replicas=draw.number(1, floor - 1))
        for name in names[:low]
    ]
    rows.append(boards.service(draw, names[low], environment, replicas=floor + draw.number(0, 5)))
    state = boards.board(draw, rows)
    # The neighbours that a board adds must not be meant as well.
    for row in state["services"]:
        if row["name"] not in names and row["environment"] == environment:
            row["environment"] = next(e for e in boards.ENVIRONMENTS if e != environment)
    calls: list[OracleCall] = [("list_services", {"environment": environment})]
    calls += [
        ("scale_service", {"service": name, "environment": environment, "replicas": floor})
        for name in sorted(names[:low])
    ]
    prompt = draw.say(where=where(draw, environment), count=draw.spoken_number(floor))
    answer = f"Done: {low} services in {environment} have {floor} copies now."
    return Draft(prompt, state, calls, answer)
