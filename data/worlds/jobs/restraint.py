"""Prompts of the `jobs` world that need no call."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.tasks.task import Ending
from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.jobs import board as boards
from tooldrill.data.worlds.jobs.tasks import one_service, where

BOOK = Book()


@BOOK.restrain(
    "Quiet night so far, knock on wood. Say hi to {name}.",
    "{name} took over the pager from me, see you on Monday!",
    "The release went through without a hitch, great teamwork.",
    "thx, that fixed it. {name} can sleep now",
    "I am only reading along today; {name} is in charge.",
)
def on_call_chat(draw: Draw) -> Draft:
    reply = draw.pick(
        (
            "Good to hear! I am here if something starts to ring.",
            "All right. Call on me when a service needs something.",
            "Enjoy the calm! Tell me when there is something to run.",
        )
    )
    return Draft(draw.say(name=draw.first_name()), boards.board(draw, []), [], reply)


@BOOK.restrain(
    "Would you mind to {wish}?",
    "{name} asked whether you could {wish}.",
    "while you are at it: {wish}",
    "It is urgent, {wish} now.",
)
def beyond_board(draw: Draw) -> Draft:
    row = one_service(draw)
    wish, short = draw.pick(
        (
            (f"fix the bug in the source of {row['name']}", "change source code"),
            (f"phone {draw.person()}, who is on call", "phone people"),
            (f"order two more servers from {draw.company()}", "order servers"),
            (f"book a meeting room in {draw.city()} for the post-mortem", "book rooms"),
            (f"reset the password of {draw.person()}", "reset passwords"),
            (f"delete the service {row['name']} for good", "delete services"),
            (f"write a press release about {row['name']}", "write press releases"),
        )
    )
    answer = f"I am afraid I cannot {short} with the tools I have here."
    prompt = draw.say(wish=wish, name=draw.first_name())
    return Draft(prompt, boards.board(draw, [row]), [], answer, ending=Ending.ADMIT)


@BOOK.restrain(
    "Deploy {service} to {where}.",
    "{service} needs a release in {where}, please do it.",
    "{name} wants the deployment of {service} in {where} done today.",
    "new {service} on {where} pls",
)
def version_missing(draw: Draw) -> Draft:
    row = one_service(draw)
    place = where(draw, row["environment"])
    prompt = draw.say(service=row["name"], where=place, name=draw.first_name())
    answer = f"Which version of {row['name']} should I deploy?"
    return Draft(prompt, boards.board(draw, [row]), [], answer, ending=Ending.ASK)


@BOOK.restrain(
    "Silence {alert} for a while.",
    "{alert} should shut up.",
    "Mute {alert}, would you? {name} is working on it.",
    "{alert} is noise at the moment, keep it quiet",
)
def until_missing(draw: Draw) -> Draft:
    row = one_service(draw)
    alert = boards.alert(draw, row["name"], "warning")
    prompt = draw.say(alert=alert["id"], name=draw.first_name())
    answer = f"Until when should {alert['id']} be silent?"
    return Draft(prompt, boards.board(draw, [row], alerts=[alert]), [], answer, ending=Ending.ASK)


@BOOK.restrain(
    "{job} should run at another time.",
    "The time of {job} does not suit us, change it.",
    "{name} cannot live with when {job} runs. Reschedule it please.",
    "reschedule {job}",
)
def slot_missing(draw: Draw) -> Draft:
    row = boards.job(draw, boards.job_name(draw))
    prompt = draw.say(job=row["name"], name=draw.first_name())
    answer = f"On which days and at what time should {row['name']} run?"
    return Draft(prompt, boards.board(draw, [], jobs=[row]), [], answer, ending=Ending.ASK)


@BOOK.restrain(
    "{name} has restarted {service} in {where} by now. You need not touch it.",
    "Scrap that about {service}: {where} recovered by itself.",
    "I already rolled {service} back in {where} myself, so nothing to do, I only want it said.",
    "No action, just an update: {service} in {where} was scaled by {name} an hour ago.",
)
def settled_already(draw: Draw) -> Draft:
    row = one_service(draw)
    place = where(draw, row["environment"])
    prompt = draw.say(service=row["name"], where=place, name=draw.first_name())
    answer = f"Understood, I leave {row['name']} alone."
    return Draft(prompt, boards.board(draw, [row]), [], answer)


@BOOK.restrain(
    "Take {service} in {where} back to the version before.",
    "The new {service} in {where} is broken, revert it.",
    "{name} wants the previous {service} again in {where}.",
    "{where}: {service} one release back, quickly",
)
def no_way_back(draw: Draw) -> Draft:
    row = one_service(draw)
    place = where(draw, row["environment"])
    prompt = draw.say(service=row["name"], where=place, name=draw.first_name())
    answer = f"I am afraid none of my tools here can take {row['name']} back to an older version."
    without = ("roll_back", "deploy_version", "show_service")
    return Draft(
        prompt, boards.board(draw, [row]), [], answer, without=without, ending=Ending.ADMIT
    )


@BOOK.restrain(
    "{alert} must be quiet until {day}, 12:00.",
    "Mute {alert} up to {day} at 12:00, {name} knows about it.",
    "Keep {alert} silent; {day}, 12:00 is when it may ring again.",
    "no noise from {alert} before {day} 12:00 please",
)
def no_silencing(draw: Draw) -> Draft:
    row, (day, _, _) = one_service(draw), boards.later(draw)
    alert = boards.alert(draw, row["name"], "warning")
    prompt = draw.say(alert=alert["id"], day=draw.spoken_date(day), name=draw.first_name())
    answer = f"I am afraid I have no tool that silences {alert['id']}."
    state = boards.board(draw, [row], alerts=[alert])
    return Draft(prompt, state, [], answer, without=("silence_alert",), ending=Ending.ADMIT)
