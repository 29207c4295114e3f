"""Prompts of the `jobs` world about timed jobs that one call answers."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.jobs import board as boards

BOOK = Book()


@BOOK.act(
    "Let {job} run {days} at {time}.",
    "{job}: {days}, {time}",
    "From now on, {time} is the time for {job}, {days}.",
    "The load is too high when {job} starts. Move it to {time}, {days}.",
    "{name} would prefer {job} {days} at {time}; please arrange that.",
)
def new_schedule(draw: Draw) -> Draft:
    row = boards.job(draw, boards.job_name(draw))
    days = draw.pick([d for d in boards.DAYS if d != row["days"]])
    hour, minute = draw.number(0, 23), draw.pick((0, 15, 30, 45, 7))
    prompt = draw.say(
        job=row["name"],
        days=draw.pick(boards.DAYS[days]),
        time=draw.spoken_time(hour, minute),
        name=draw.first_name(),
    )
    time = f"{hour:02}:{minute:02}"
    calls: list[OracleCall] = [("set_schedule", {"job": row["name"], "days": days, "time": time})]
    state = boards.board(draw, [], jobs=[row, boards.job(draw, boards.job_name(draw) + "-2")])
    return Draft(prompt, state, calls, f"Done: {row['name']} runs {days} at {time}.")


@BOOK.act(
    "Stop {job} from running for now.",
    "{job} must not start again until I say so.",
    "Put {job} on hold.",
    "{name} is rebuilding the database, so {job} should sit still meanwhile.",
)
def hold_job(draw: Draw) -> Draft:
    return _job_state(draw, "paused")


@BOOK.act(
    "{job} may run again.",
    "Take {job} off hold, please.",
    "The database is fine, so let {job} do its work as scheduled again.",
    "unpause {job}",
)
def release_job(draw: Draw) -> Draft:
    return _job_state(draw, "active")


def _job_state(draw: Draw, wanted: str) -> Draft:
    before = "paused" if wanted == "active" else "active"
    row = boards.job(draw, boards.job_name(draw), state=before)
    calls: list[OracleCall] = [("set_job_state", {"job": row["name"], "state": wanted})]
    state = boards.board(draw, [], jobs=[row])
    prompt = draw.say(job=row["name"], name=draw.first_name())
    answer = f"Done: {row['name']} is {wanted}."
    return Draft(prompt, state, calls, answer, (), ("run_job",))


@BOOK.act(
    "Run {job} once right now.",
    "I cannot wait for the schedule, start {job} immediately.",
    "kick off {job}",
    "{name} needs fresh numbers: trigger {job} a single time, out of turn.",
)
def kick_off(draw: Draw) -> Draft:
    row = boards.job(draw, boards.job_name(draw))
    state = boards.board(draw, [], jobs=[row])
    prompt = draw.say(job=row["name"], name=draw.first_name())
    answer = f"Done: {row['name']} ran."
    calls: list[OracleCall] = [("run_job", {"job": row["name"]})]
    return Draft(prompt, state, calls, answer, (), ("set_job_state",))
