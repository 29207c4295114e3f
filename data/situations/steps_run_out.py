"""The steps run out: after some calls the user says that an answer is needed now, without tools.

Where all is done or known, the right reply says it; elsewhere it says honestly what is open. Any
further call is needless. The tools may still be listed or not.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from tooldrill.agent import messages
from tooldrill.agent.call import Call
from tooldrill.agent.episode import Message
from tooldrill.data.situations.scene import (
    Played,
    Rehearsal,
    is_plain,
    play,
    staged,
    turn,
    turns,
    words_of,
)
from tooldrill.data.tasks.mistakes import fail
from tooldrill.data.tasks.solve import offered, says
from tooldrill.data.tasks.task import Ending, Task, TaskKind

NAME = "steps_run_out"

ALL_DONE_SHARE = 0.5
UNLISTED_SHARE = 0.25


def situation(task: Task, rng: random.Random) -> Task | None:
    """The task with its last word asked for now."""
    if not is_plain(task):
        return None
    played = play(task)
    word = messages.user(rng.choice(_LAST_WORDS))
    changes = {
        "kind": TaskKind.RESTRAIN,
        "oracle": [],
        "tools": [] if rng.random() < UNLISTED_SHARE else task.tools,
    }
    if rng.random() < ALL_DONE_SHARE:
        ending = Ending.REPORT if task.answer_contains else Ending.CLAIM
        history = [*turns(played), word]
        return staged(task, NAME, history=history, ending=ending, **changes)
    done = played[: rng.randrange(len(played))]
    known = " ".join(one.observation.text for one in done)
    if task.answer_contains and says(known, task.answer_contains):
        return None  # The answer is known already, though the oracle would go on.
    history = turns(done) if done else _failed_turn(task, rng)
    rest = [one.call for one in played[len(done) :]]
    return staged(
        task,
        NAME,
        history=[*history, word],
        answer=_admission(rng, done, rest, _text(task, history)),
        answer_contains=[],
        answer_mentions=_open_words(rest),
        ending=Ending.ADMIT,
        claim=task.answer,
        **changes,
    )


def _failed_turn(task: Task, rng: random.Random) -> list[Message]:
    """The only attempt so far failed."""
    registry = offered(task)
    with Rehearsal(task) as rehearsal:
        failure = fail(rng, task.calls[0], registry, rehearsal.attempt)
    return turn(failure.call, failure.observation.text, learn=False)


def _admission(rng: random.Random, done: Sequence[Played], rest: Sequence[Call], known: str) -> str:
    still = _listed([_named(call, known) for call in rest])
    if not done:
        return rng.choice(_NOTHING_DONE).format(open=still)
    made = _listed([_named(one.call, known) for one in done])
    return rng.choice(_PARTLY_DONE).format(done=made, open=still)


def _named(call: Call, known: str) -> str:
    """A call in a few words: the tool, and what it is about if that is known by now."""
    about = next((str(v) for v in call.arguments.values() if not isinstance(v, bool)), "")
    return f"{call.name} for {about}" if 0 < len(about) <= 60 and about in known else call.name


def _listed(items: Sequence[str]) -> str:
    unique = list(dict.fromkeys(items))
    return ", ".join(unique[:-1]) + " and " + unique[-1] if len(unique) > 1 else unique[0]


def _text(task: Task, history: Sequence[Message]) -> str:
    return "\n".join([task.prompt, *(str(m.get("content") or "") for m in history)])


def _open_words(rest: Sequence[Call]) -> list[str]:
    names = [call.name for call in rest]
    values = [str(v) for call in rest for v in call.arguments.values() if 0 < len(str(v)) <= 80]
    return [*dict.fromkeys([*names, *words_of(*names), *_OPEN, *values])]


_OPEN = (
    "step",
    "steps",
    "call",
    "calls",
    "rest",
    "finish",
    "finished",
    "complete",
    "completed",
    "open",
    "done",
)

_LAST_WORDS = (
    "No more tool calls are possible. Please give your answer now.",
    "That was the last step. Answer with what you have.",
    "The step limit is reached: conclude now, without calling a tool.",
    "We have to stop here. What is the result?",
    "Tools are closed from here on. Your final answer, please.",
    "You have no steps left. Write your conclusion.",
    "Time is up; tell me where things stand, no further calls.",
    "This is the final turn. Reply in words only.",
    "I have to go in a moment, so no more calls. What can you tell me?",
    "The budget for calls is used up. Finish with an answer.",
)
_NOTHING_DONE = (
    "This is not done: the only call I made failed. Still open: {open}.",
    "I could not do it; my one attempt failed. What is missing is {open}.",
    "Nothing has been done yet. The call failed, and {open} is still to be made.",
    "I have no result: the first try failed and there was no step left for {open}.",
)
_PARTLY_DONE = (
    "I could not finish. Made so far: {done}. Still open: {open}.",
    "This is only partly done: {done} went through, {open} is still to be done.",
    "Not complete. {done} worked; {open} was not made.",
    "The task is unfinished: after {done} I had no step left for {open}.",
)
