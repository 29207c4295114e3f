"""Prompts of the `jobs` world that take several calls, later ones fed by what was read."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.convert.tasks import unspoiled
from tooldrill.data.worlds.jobs import board as boards
from tooldrill.data.worlds.jobs.tasks import one_service, releases, where

BOOK = Book()


@BOOK.act(
    "One service in {where} is failing. Find out which and restart it.",
    "Something in {where} is down with a failure; whatever it is, give it a restart.",
    "{name} sees red in {where}. Restart the service that fails there, no other.",
    "{where} - what is failing? restart that",
    "Users complain about {where}. I bet one service there fails. Look, and bounce the culprit.",
)
def restart_failing(draw: Draw) -> Draft:
    row = one_service(draw, status="failing")
    name, environment = row["name"], row["environment"]
    arguments = {"service": name, "environment": environment}
    calls: list[OracleCall] = [
        ("list_services", {"environment": environment, "status": "failing"}),
        ("restart_service", arguments),
    ]
    prompt = draw.say(where=where(draw, environment), name=draw.first_name())
    return Draft(prompt, boards.board(draw, [row]), calls, f"Done: {name} was restarted.")


@BOOK.act(
    "{service} fails in {where}. Its error names the last good version: deploy that one there.",
    "Read the errors of {service} in {where}. There is a version that still worked in them; bring "
    "it back by deploying it.",
    "{where}, {service}: the error log says which release was fine. I want exactly that release.",
    "I do not know which version of {service} was still fine in {where}, but its error "
    "log does. Put that version back on, by deployment and not by going back one step.",
)
def last_good(draw: Draw) -> Draft:
    row = one_service(draw, status="failing", environment=draw.pick(("production", "development")))
    name, environment, good = row["name"], row["environment"], boards.version(draw) + ".7"
    telling = f"schema {draw.number(10, 99)} is newer than this build; last good version {good}"
    lines = boards.log(draw, draw.number(10, 30), telling)
    lines.append(f"23:59 INFO release {row['version']} announced, version {row['past'][0]} retired")
    calls: list[OracleCall] = [
        ("read_logs", {"service": name, "environment": environment, "level": "error"}),
        ("deploy_version", {"service": name, "version": good, "environment": environment}),
    ]
    state = boards.board(
        draw,
        [row],
        logs=[{"service": name, "environment": environment, "lines": lines}],
        releases=releases(draw, name, good, row["version"]),
    )
    prompt = draw.say(service=name, where=where(draw, environment))
    answer = f"Done: {name} is at {good} in {environment}."
    return Draft(prompt, state, calls, answer, (), ("roll_back",))


_TROUBLES = (
    "queue backlog",
    "stale leader",
    "memory leak",
    "cert expiry",
    "split brain",
    "hot shard",
)


@BOOK.act(
    "A critical alert rings. Do what the runbook it names tells you, then silence it until {time} "
    "on {day}.",
    "See which alert is critical, follow its runbook step by step, and keep the alert quiet till "
    "{day}, {time}.",
    "{name} is off duty, so please handle the critical alert by the book (it says which runbook). "
    "Afterwards mute it; it may ring again on {day} at {time}.",
    "critical alert! do as its runbook says, to the letter. when done mute it until {day} {time}",
)
def by_the_book(draw: Draw) -> Draft:
    row = one_service(draw, status="failing", replicas=draw.number(1, 3))
    name, environment, count = row["name"], row["environment"], draw.number(5, 16)
    topic = f"{draw.pick(_TROUBLES)} {draw.word()}"
    alert = boards.alert(draw, name, "critical", f"see runbook '{topic}' ({environment})")
    other = boards.alert(draw, name, "info", f"runbook '{topic} (old)' was archived")
    text = (
        f"{topic}: wake nobody. 1. Restart the service that the alert is about, hard. "
        f"2. Scale it to {count} replicas in the same environment. "
        f"3. Silence the alert. Do not deploy anything; {count + 3} replicas are too many."
    )
    books = [
        {"topic": topic, "text": text},
        {"topic": f"{topic} (old)", "text": "Roll back twice and call the vendor."},
    ]
    (day, hour, minute), place = boards.later(draw), {"service": name, "environment": environment}
    until = f"{day} {hour:02}:{minute:02}"
    calls: list[OracleCall] = [
        ("list_alerts", {"severity": "critical"}),
        ("open_runbook", {"topic": topic}),
        ("restart_service", {**place, "hard": True}),
        ("scale_service", {**place, "replicas": count}),
        ("silence_alert", {"alert_id": alert["id"], "until": until}),
    ]
    prompt = draw.say(
        day=draw.spoken_date(day), time=draw.spoken_time(hour, minute), name=draw.first_name()
    )
    state = boards.board(draw, [row], alerts=[alert, other], runbooks=books)
    answer = f"Done: {name} was restarted and scaled to {count}; {alert['id']} is silent."
    return Draft(prompt, state, calls, answer)


@BOOK.act(
    "Promote {service}: production gets the version that staging has, and as many copies.",
    "Make production look like staging for {service}, same version and same number of replicas.",
    "QA is happy with {service} on staging. Copy its version and its replica count to production.",
    "{service}: whatever runs on staging, I want the same on production. That goes for "
    "the release and for how many copies there are.",
)
def promote(draw: Draw) -> Draft:
    staged = one_service(draw, environment="staging", replicas=draw.number(5, 12))
    name, new = staged["name"], staged["version"]
    live = boards.service(draw, name, "production", replicas=draw.number(1, 4), version="0.0.9")
    calls: list[OracleCall] = [
        ("show_service", {"service": name, "environment": "staging"}),
        ("deploy_version", {"service": name, "version": new, "environment": "production"}),
        (
            "scale_service",
            {"service": name, "environment": "production", "replicas": staged["replicas"]},
        ),
    ]
    state = boards.board(draw, [staged, live], releases=releases(draw, name, new, "0.0.9"))
    answer = f"Done: {name} is at {new} in production with {staged['replicas']} copies."
    return Draft(draw.say(service=name), state, calls, answer)


@BOOK.act(
    "{job} should run at the same days and time as {other}. Look those up first.",
    "Give {job} the schedule of {other}.",
    "Whenever {other} runs, {job} has to run as well; set {job} accordingly.",
    "{job} = same slot as {other}",
)
def same_slot(draw: Draw) -> Draft:
    names = draw.several(lambda: boards.job_name(draw), 2)
    row, other = boards.job(draw, names[0], time="03:33"), boards.job(draw, names[1])
    calls: list[OracleCall] = [
        ("show_job", {"job": other["name"]}),
        ("set_schedule", {"job": names[0], "days": other["days"], "time": other["time"]}),
    ]
    state = boards.board(draw, [], jobs=[row, other])
    answer = f"Done: {names[0]} runs {other['days']} at {other['time']}."
    return Draft(draw.say(job=names[0], other=names[1]), state, calls, answer)


@BOOK.act(
    "The errors of {service} in {where} blame a job. Pause that job, and silence every alert about "
    "{service} until {time} on {day}.",
    "Some job breaks {service} in {where}, its error log says which. Put the job on hold; alerts "
    "of {service} are to be muted till {day}, {time}.",
    "{name} suspects a timed job behind the trouble of {service} ({where}). Check the errors, hold "
    "that job, then quieten all alerts for {service} until {day} {time}.",
    "{service}, {where}: its errors name a job. hold the job, mute all of {service}'s "
    "alerts until {time} on {day}",
)
def guilty_job(draw: Draw) -> Draft:
    row = one_service(draw, status="failing")
    name, environment = row["name"], row["environment"]
    names = draw.several(lambda: boards.job_name(draw), 3)
    lines = boards.log(draw, draw.number(12, 30), f"table locked by job {names[0]}, giving up")
    lines.insert(1, f"00:00 INFO job {names[1]} finished")
    alerts = [boards.alert(draw, name, "warning"), boards.alert(draw, name, "critical")]
    alerts.sort(key=lambda alert: str(alert["id"]))
    (day, hour, minute) = boards.later(draw)
    until = f"{day} {hour:02}:{minute:02}"
    calls: list[OracleCall] = [
        ("read_logs", {"service": name, "environment": environment, "level": "error"}),
        ("set_job_state", {"job": names[0], "state": "paused"}),
        ("list_alerts", {"service": name}),
        *(("silence_alert", {"alert_id": alert["id"], "until": until}) for alert in alerts),
    ]
    state = boards.board(
        draw,
        [row],
        logs=[{"service": name, "environment": environment, "lines": lines}],
        jobs=[boards.job(draw, each) for each in names],
        alerts=[*alerts, boards.alert(draw, "somebody-else", "critical")],
    )
    prompt = draw.say(
        service=name,
        where=where(draw, environment),
        day=draw.spoken_date(day),
        time=draw.spoken_time(hour, minute),
        name=draw.first_name(),
    )
    answer = f"Done: {names[0]} is paused and both alerts are silent until {until}."
    return Draft(prompt, state, calls, answer, (), ("show_job", "run_job"))


@BOOK.act(
    "If {job} is paused, wake it up and run it once. If it is active, only tell me when it runs.",
    "Check {job}: when it is on hold, release it and start it right away; else I just want to hear "
    "its time.",
    "{job} - paused? then activate + run now. not paused? then its time, nothing more",
    "I am not sure whether {job} sleeps. If it is paused, make it active again and let it "
    "run once; if not, leave it alone and tell me its time.",
)
@unspoiled
def only_if_paused(draw: Draw) -> Draft:
    paused = draw.chance(0.5)
    row = boards.job(draw, boards.job_name(draw), state="paused" if paused else "active")
    name = row["name"]
    calls: list[OracleCall] = [("show_job", {"job": name})]
    if paused:
        calls += [("set_job_state", {"job": name, "state": "active"}), ("run_job", {"job": name})]
    answer = f"Done: {name} ran." if paused else f"{name} is active and runs at {row['time']}."
    contains = () if paused else (str(row["time"]),)
    needs = ("set_job_state", "run_job")
    prompt = draw.say(job=name)
    return Draft(prompt, boards.board(draw, [], jobs=[row]), calls, answer, contains, needs)


@BOOK.act(
    "How many copies of {service} run in {where}? If fewer than {count}, make it {count}.",
    "{where} needs at least {count} replicas of {service}. Check, and raise it only if need be.",
    "Does {service} have {count} instances in {where} yet? Top it up to that if it does not.",
    "{name} fears that {service} is too thin in {where}. Anything below {count} copies "
    "has to be raised to {count}; more is fine and stays.",
)
@unspoiled
def at_least(draw: Draw) -> Draft:
    row = one_service(draw, replicas=draw.number(2, 12))
    name, environment, count = row["name"], row["environment"], draw.number(3, 14)
    place = {"service": name, "environment": environment}
    calls: list[OracleCall] = [("show_service", place)]
    if row["replicas"] < count:
        calls.append(("scale_service", {**place, "replicas": count}))
    prompt = draw.say(
        service=name,
        where=where(draw, environment),
        count=draw.spoken_number(count),
        name=draw.first_name(),
    )
    answer = f"{name} has {max(count, row['replicas'])} replicas in {environment}."
    contains = (f"{row['replicas']} replicas",) if len(calls) == 1 else ()
    return Draft(prompt, boards.board(draw, [row]), calls, answer, contains, ("scale_service",))


@BOOK.act(
    "Which runbook step comes first for '{topic}'?",
    "What does the book say to do first about {topic}?",
    "First thing to do on {topic}, according to our runbook?",
    "{name} has a case of '{topic}' on the screen. What is step one?",
)
def first_step(draw: Draw) -> Draft:
    topic, step = (
        f"{draw.pick(_TROUBLES)} {draw.word()}",
        f"ask {(person := draw.person())} for the key",
    )
    text = f"{topic}. 1. {step}. 2. {draw.phrase()}. 3. {draw.phrase()}. 4. write a summary."
    books = [{"topic": topic, "text": text}, {"topic": draw.pick(_TROUBLES), "text": "1. wait."}]
    state = boards.board(draw, [], runbooks=books)
    prompt = draw.say(topic=topic, name=draw.first_name())
    calls: list[OracleCall] = [("open_runbook", {"topic": topic})]
    return Draft(prompt, state, calls, f"First: {step}.", (person,))
