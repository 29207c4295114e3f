"""Prompts of the `calendar` world that need calls, and the calls that answer them."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tooldrill.data.values.names import Draw, number_word
from tooldrill.data.worlds.book import Book, Draft, OracleCall

BOOK = Book(
    asides=(
        "My head is full, so keep track for me.",
        "Spring is so busy this year.",
        "The dentist has cancelled, what a relief.",
        "I am walking the dog right now.",
        "My old diary got wet.",
    )
)


def some_day(draw: Draw) -> date:
    return date(2026, 1, 1) + timedelta(days=draw.number(0, 700))


def occasion(draw: Draw) -> str:
    """What an event could be called."""
    return draw.pick(
        (
            f"Lunch with {draw.first_name()}",
            f"{draw.topic().capitalize()} review",
            f"Interview with {draw.person()}",
            f"Visit to {draw.company()}",
            f"Call with {draw.company()}",
            f"{draw.first_name()}'s birthday",
            f"Concert in {draw.city()}",
            f"Workshop on {draw.topic()}",
        )
    )


def agenda(draw: Draw, day: date, hours: list[int], **fixed: Any) -> dict[str, Any]:
    """A state with an event of one hour at each of the hours; `fixed` holds for the first."""
    events = [
        {"id": number, "title": title, "start": f"{day} {hour:02}:00", "minutes": 60}
        for number, title, hour in zip(
            draw.numbers(11, 79, len(hours)),
            draw.several(lambda: occasion(draw), len(hours)),
            hours,
            strict=True,
        )
    ]
    if events:
        events[0].update(fixed)
    return {"events": sorted(events, key=lambda event: int(str(event["id"])))}


def first(state: dict[str, Any], hour: int) -> dict[str, Any]:
    """The event that begins at the hour."""
    return next(e for e in state["events"] if e["start"].endswith(f" {hour:02}:00"))


def _spoken(draw: Draw, day: date) -> str:
    return draw.pick((day.isoformat(), f"{day.day} {day:%B %Y}", f"{day:%B} {day.day}, {day.year}"))


def _lasting(draw: Draw) -> tuple[str, int]:
    if draw.chance(0.5):
        hours = draw.number(2, 5)
        return f"{number_word(hours)} hours", hours * 60
    minutes = draw.pick((15, 20, 30, 40, 45, 50, 90))
    return f"{minutes} minutes", minutes


@BOOK.act(
    "Keep an hour for '{title}' on {day} from {time}.",
    "On {day} at {time} I have this: '{title}'. It takes the usual hour.",
    '{day}, {time}: "{title}". Into the calendar with it!',
    "Would you note '{title}' for {day} at {time}, please?",
)
def appointment(draw: Draw) -> Draft:
    day, title, hour = some_day(draw), occasion(draw), draw.number(8, 19)
    state = agenda(draw, day, [7])
    time = f"{hour:02}:{draw.pick((0, 15, 30)):02}"
    calls: list[OracleCall] = [("book_event", {"title": title, "start": f"{day} {time}"})]
    prompt = draw.say(title=title, day=_spoken(draw, day), time=time)
    return Draft(prompt, state, calls, f"Done: {title} is on {day} at {time}.")


@BOOK.act(
    "Plan '{title}' in {place} for {day}, {time}; it goes on for {span}.",
    "For {span} on {day}, starting {time}, there is '{title}'. We meet in {place}.",
    "'{title}': {day}, {time}, {span}, {place}. Block that for me.",
)
def appointment_with_place(draw: Draw) -> Draft:
    day, title, place = some_day(draw), occasion(draw), draw.city()
    (span, minutes), time = _lasting(draw), f"{draw.number(8, 18):02}:30"
    arguments = {"title": title, "start": f"{day} {time}", "minutes": minutes, "place": place}
    calls: list[OracleCall] = [("book_event", arguments)]
    prompt = draw.say(title=title, place=place, day=_spoken(draw, day), time=time, span=span)
    return Draft(prompt, agenda(draw, day, [7]), calls, f"Done: {title} is on {day} at {time}.")


@BOOK.act(
    "What is on {day}?",
    "Tell me my plans for {day}.",
    "Do I have anything on {day}, and if so what?",
    "Somebody wants to meet me on {day}. What stands there already?",
)
def plans(draw: Draw) -> Draft:
    day, hour = some_day(draw), draw.number(9, 18)
    state = agenda(draw, day, [hour])
    title = first(state, hour)["title"]
    calls: list[OracleCall] = [("day_agenda", {"day": day.isoformat()})]
    answer = f"On {day} you have {title} at {hour:02}:00."
    return Draft(draw.say(day=_spoken(draw, day)), state, calls, answer, (title,))


@BOOK.act(
    "Who comes to my event on {day}?",
    "I meet people on {day}. Which ones?",
    "Names of everybody invited on {day}, please.",
)
def company_on_day(draw: Draw) -> Draft:
    day, hour = some_day(draw), draw.number(9, 18)
    state, guest = agenda(draw, day, [hour]), draw.person()
    event = state["events"][0]
    state["guests"] = [{"event": event["id"], "guest": guest, "optional": 0}]
    calls: list[OracleCall] = [("day_agenda", {"day": day.isoformat(), "with_guests": True})]
    answer = f"{guest} comes to {event['title']}."
    return Draft(draw.say(day=_spoken(draw, day)), state, calls, answer, (guest,))


@BOOK.act(
    "Event {number} will be on {day} at {time} instead.",
    "Could you push number {number} to {day}, {time}?",
    "{number} does not fit any more; {day} at {time} is better.",
    "They asked for {day} {time} for event {number}. Fine with me, change it.",
)
def other_time(draw: Draw) -> Draft:
    day, hour = some_day(draw), draw.number(9, 12)
    new_day, time = day + timedelta(days=draw.number(1, 30)), f"{draw.number(13, 19)}:15"
    state = agenda(draw, day, [hour, hour + 2])
    number = first(state, hour)["id"]
    arguments = {"event_id": number, "new_start": f"{new_day} {time}"}
    prompt = draw.say(number=number, day=_spoken(draw, new_day), time=time)
    answer = f"Done: event {number} begins on {new_day} at {time}."
    return Draft(prompt, state, [("shift_event", arguments)], answer)


@BOOK.act(
    "'{title}' will not take place. Drop it.",
    "I do not want to go to '{title}' any more, so get rid of it.",
    "They called off '{title}'. Clear it from my days, whenever it was.",
)
def called_off(draw: Draw) -> Draft:
    day, hour = some_day(draw), draw.number(9, 15)
    state = agenda(draw, day, [hour, hour + 2])
    event = first(state, hour)
    calls: list[OracleCall] = [
        ("find_events", {"keyword": event["title"]}),
        ("cancel_event", {"event_id": event["id"]}),
    ]
    answer = f"Done: {event['title']} was cancelled."
    return Draft(draw.say(title=event["title"]), state, calls, answer)


@BOOK.act(
    "When on {day} could I fit in {span}?",
    "I need {span} without interruption on {day}. What is the first chance?",
    "{day}: where do {span} fit, at the earliest?",
)
def gap(draw: Draw) -> Draft:
    day = some_day(draw)
    span, minutes = _lasting(draw)
    state = agenda(draw, day, [8, 9, 10][: draw.number(1, 3)])
    end = f"{8 + len(state['events']):02}:00"
    calls: list[OracleCall] = [("next_free", {"day": day.isoformat(), "minutes": minutes})]
    answer = f"You are free on {day} from {end}."
    return Draft(draw.say(day=_spoken(draw, day), span=span), state, calls, answer, (end,))


@BOOK.act(
    "Find the first free {span} on {day} and put '{title}' there.",
    "'{title}' needs {span} on {day}. Take the earliest slot that is free.",
    "Squeeze '{title}' ({span}) into {day} as soon as possible that day.",
)
def squeeze_in(draw: Draw) -> Draft:
    day, title = some_day(draw), occasion(draw)
    span, minutes = _lasting(draw)
    state = agenda(draw, day, [8, 9, 10][: draw.number(1, 3)])
    start = f"{day} {8 + len(state['events']):02}:00"
    calls: list[OracleCall] = [
        ("next_free", {"day": day.isoformat(), "minutes": minutes}),
        ("book_event", {"title": title, "start": start, "minutes": minutes}),
    ]
    prompt = draw.say(day=_spoken(draw, day), span=span, title=title)
    return Draft(prompt, state, calls, f"Done: {title} begins at {start}.")


@BOOK.act(
    "{guest} should come to event {number}.",
    "Event {number} is also for {guest}, send an invitation.",
    "I want {guest} there at number {number}.",
)
def bring_along(draw: Draw) -> Draft:
    return _invitation(draw, {})


@BOOK.act(
    "Ask {guest} to event {number}, but only if they like; it is not a must.",
    "{guest} may join number {number} without having to. Send the invitation like that.",
)
def may_come(draw: Draw) -> Draft:
    return _invitation(draw, {"optional": True})


def _invitation(draw: Draw, extra: dict[str, Any]) -> Draft:
    day, hour, guest = some_day(draw), draw.number(9, 15), draw.person()
    state = agenda(draw, day, [hour])
    number = state["events"][0]["id"]
    arguments = {"event_id": number, "guest": guest, **extra}
    answer = f"Done: {guest} is invited to event {number}."
    prompt = draw.say(guest=guest, number=number)
    return Draft(prompt, state, [("invite_guest", arguments)], answer)


@BOOK.act(
    "At '{title}', {new} takes the seat of {old}. Change the invitations.",
    "{old} cannot make it to '{title}', so {new} goes. Please update who is invited.",
)
def swap_guest(draw: Draw) -> Draft:
    day, hour = some_day(draw), draw.number(9, 15)
    state = agenda(draw, day, [hour, hour + 1])
    event, (old, new) = first(state, hour), draw.several(draw.person, 2)
    state["guests"] = [{"event": event["id"], "guest": old, "optional": 0}]
    calls: list[OracleCall] = [
        ("find_events", {"keyword": event["title"]}),
        ("uninvite_guest", {"event_id": event["id"], "guest": old}),
        ("invite_guest", {"event_id": event["id"], "guest": new}),
    ]
    answer = f"Done: {new} comes to {event['title']} instead of {old}."
    return Draft(draw.say(title=event["title"], old=old, new=new), state, calls, answer)


@BOOK.act(
    "Warn me {minutes} minutes ahead of event {number}.",
    "I tend to forget number {number}, so poke me {minutes} minutes earlier.",
    "{minutes} minutes before {number} starts I want an alarm.",
)
def alarm(draw: Draw) -> Draft:
    day, minutes = some_day(draw), draw.pick((5, 10, 20, 30, 45, 90, 120))
    state = agenda(draw, day, [draw.number(9, 12)])
    number = state["events"][0]["id"]
    arguments = {"event_id": number, "minutes_before": minutes}
    answer = f"Done: the reminder for event {number} comes {minutes} minutes before."
    prompt = draw.say(minutes=minutes, number=number)
    return Draft(prompt, state, [("remind_me", arguments)], answer)


@BOOK.act(
    "Event {number} is really called '{title}'.",
    "The name of number {number} is wrong; '{title}' is right.",
    "Put '{title}' as the heading of event {number}.",
)
def better_title(draw: Draw) -> Draft:
    day, title = some_day(draw), occasion(draw) + " (new)"
    state = agenda(draw, day, [draw.number(9, 12)])
    number = state["events"][0]["id"]
    arguments = {"event_id": number, "new_title": title}
    answer = f"Done: event {number} is called {title}."
    prompt = draw.say(number=number, title=title)
    return Draft(prompt, state, [("rename_event", arguments)], answer)
