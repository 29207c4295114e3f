"""Watchdogs: when an episode goes in circles or its budget ends, a hint is put into it.

Each trigger is a function of what happened since the last hint; the first that has something to
say speaks, and then all wait for new evidence. Whether a hint helped is decided here too. The loop
around it is `run`'s work; the rule for looping text stands in `looping_text`. Off when a bare model
is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tooldrill.agent.call import Call
from tooldrill.agent.episode import Episode, Hint, Outcome, Step, TriggerName
from tooldrill.agent.looping_text import Loop, LoopingText, find_loop
from tooldrill.agent.settings import WatchdogSettings

# The longest circle of calls that is looked for, and how far back a repetition counts as one.
_LONGEST_CIRCLE = 3
# What says something about the model.
_TOLD = (Outcome.CONCLUDED, Outcome.NO_CONCLUSION)


@dataclass(frozen=True)
class Left:
    """What is left of an episode's budgets after a reply.

    Attributes:
        steps: replies that may still come.
        tokens: tokens that may still be generated; None without such a budget.
        reply_tokens: the most that one reply may take.
    """

    steps: int
    tokens: int | None = None
    reply_tokens: int = 0


@dataclass(frozen=True)
class Moment:
    """What a trigger looks at.

    Attributes:
        steps: the replies since the last hint, the newest last; never empty.
        left: of the budgets.
        announced: whether the end of the budget was announced already.
    """

    steps: Sequence[Step]
    left: Left
    announced: bool

    def last(self, count: int) -> Sequence[Step]:
        """The last `count` steps; none when there were fewer."""
        return self.steps[-count:] if count <= len(self.steps) else ()


@dataclass(frozen=True)
class Trigger:
    """One reason for a hint.

    Attributes:
        thresholds: names of the settings that decide; the first one, when None, turns it off.
        hint: the text that is due, given the first threshold; None when none is.
    """

    name: TriggerName
    thresholds: tuple[str, ...]
    hint: Callable[[Moment, WatchdogSettings, int], str | None]


class Watchdog:
    """Watches one episode.

    Args:
        settings: thresholds; a disabled watchdog never says or ends anything.
    """

    def __init__(self, settings: WatchdogSettings) -> None:
        self._settings = settings
        self._seen = 0  # replies whose evidence is spent
        self._announced = False

    def reply_watch(self) -> Callable[[str], bool] | None:
        """What watches the next reply while it is generated; None when nothing does."""
        settings = self._settings
        if not settings.enabled or settings.looping_repeats is None:
            return None
        return LoopingText(settings.looping_repeats, settings.looping_characters)

    def loop_in(self, text: str) -> Loop | None:
        """The loop in which a whole text ends."""
        settings = self._settings
        if not settings.enabled or settings.looping_repeats is None:
            return None
        return find_loop(text, settings.looping_repeats, settings.looping_characters)

    def hint(self, steps: Sequence[Step], left: Left) -> Hint | None:
        """The hint that the steps so far deserve; none when no further reply may come."""
        if not self._settings.enabled or left.steps < 1:
            return None
        moment = Moment(steps[self._seen :], left, self._announced)
        for trigger in TRIGGERS:
            first = getattr(self._settings, trigger.thresholds[0])
            text = None if first is None else trigger.hint(moment, self._settings, first)
            if text is None:
                continue
            if trigger.name is TriggerName.BUDGET_ENDS:
                self._announced = True
            else:
                self._seen = len(steps)
            thresholds = {name: getattr(self._settings, name) for name in trigger.thresholds}
            return Hint(trigger=trigger.name, text=text, step=len(steps), thresholds=thresholds)
        return None


def judge_hints(episode: Episode) -> None:
    """Writes into every hint of an ended episode whether it helped.

    A hint helped when the next reply has no violation, was not ended for looping, got no error
    back, and is none of the three replies before the hint once more (the same call, or the same
    text where there is none). The announcement that the budget ends helped when the model concluded
    by itself in the replies that were left; nothing is known of an episode that was not brought to
    its end. `helped` stays None where no reply of the model's own came after the hint; a forced
    conclusion is none.
    """
    steps = episode.own_steps
    concluded = episode.outcome is Outcome.CONCLUDED and not episode.forced
    for index, step in enumerate(steps[:-1]):
        hint, following = step.injected, steps[index + 1]
        if hint is None:
            continue
        if hint.trigger is TriggerName.BUDGET_ENDS:
            hint.helped = concluded if episode.outcome in _TOLD else None
            continue
        before = {
            _fingerprint(one) for one in steps[max(0, index + 1 - _LONGEST_CIRCLE) : index + 1]
        }
        hint.helped = not (
            following.violations
            or following.stop == "looping"
            or following.error
            or _fingerprint(following) in before
        )


def _fingerprint(step: Step) -> str:
    """Equal for the same call (arguments in any order), or the same text where there is none."""
    if not step.calls:
        return step.reply.strip()
    return Call(step.calls[0].name, step.calls[0].arguments).fingerprint


def _looping_text(moment: Moment, _settings: WatchdogSettings, _repeats: int) -> str | None:
    if moment.steps[-1].stop != "looping":
        return None
    return (
        "Your last reply repeated the same text over and over and was cut off. Write it once and "
        "briefly: one call of a tool, or the final answer."
    )


def _identical_failures(moment: Moment, _settings: WatchdogSettings, count: int) -> str | None:
    last = moment.last(count)
    same = len({_fingerprint(step) for step in last}) == 1
    if not same or not all(step.calls and step.error for step in last):
        return None
    return (
        f"The same call of {last[0].calls[0].name} has failed {count} times in a row. Do not make "
        "it again as it is: read the error, then change the arguments, use another tool, or say "
        "what stands in the way."
    )


def _error_rate(moment: Moment, settings: WatchdogSettings, count: int) -> str | None:
    last = moment.steps[-settings.error_window :]
    errors = sum(step.error for step in last)
    if errors < count:
        return None
    return (
        f"{errors} of your last {len(last)} replies came back as errors. Stop and look again at "
        "the tools that are offered and at what is known, then try another way or say what stands "
        "in the way."
    )


def _same_results(moment: Moment, _settings: WatchdogSettings, rounds: int) -> str | None:
    for length in range(1, _LONGEST_CIRCLE + 1):
        last = moment.last(rounds * length)
        if not last or not all(step.calls for step in last):
            continue
        seen = [(_fingerprint(step), step.observation) for step in last]
        if seen != seen[:length] * rounds:
            continue
        what = (
            f"The same call of {last[0].calls[0].name} was made {rounds} times in a row"
            if length == 1
            else f"The same {length} calls were made {rounds} times in turn"
        )
        return (
            f"{what}, with the same result each time. Unless you are waiting for it to change, go "
            "on from what is known: make another call, or give the final answer."
        )
    return None


def _same_replies(moment: Moment, _settings: WatchdogSettings, count: int) -> str | None:
    last = moment.last(count)
    same = len({_fingerprint(step) for step in last}) == 1
    if not same or any(step.calls for step in last):
        return None
    return (
        f"Your last {count} replies were the same text, and each came back as an error. Do not "
        "write it again: make one call of a tool in the form that the error asks for, or give the "
        "final answer."
    )


def _budget_ends(moment: Moment, _settings: WatchdogSettings, few: int) -> str | None:
    left = moment.left
    if moment.announced:
        return None
    if left.steps <= few:
        replies = "1 reply is" if left.steps == 1 else f"{left.steps} replies are"
        until = f"{replies} left before this task is ended"
    elif left.tokens is not None and left.tokens <= few * left.reply_tokens:
        until = f"Replies of about {left.tokens} tokens in all are left before this task is ended"
    else:
        return None
    return f"{until}. Make only the calls that are still needed, then give the final answer."


TRIGGERS = (
    Trigger(TriggerName.LOOPING_TEXT, ("looping_repeats", "looping_characters"), _looping_text),
    Trigger(TriggerName.IDENTICAL_FAILURES, ("identical_failures",), _identical_failures),
    Trigger(TriggerName.ERROR_RATE, ("errors_in_window", "error_window"), _error_rate),
    Trigger(TriggerName.SAME_RESULTS, ("same_results",), _same_results),
    Trigger(TriggerName.SAME_REPLIES, ("same_replies",), _same_replies),
    Trigger(TriggerName.BUDGET_ENDS, ("steps_left",), _budget_ends),
)
"""In the order in which they may speak; of one reply only the first does."""
