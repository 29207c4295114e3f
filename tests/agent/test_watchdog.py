"""Watchdogs: when each trigger speaks, with which words, and whether what it said helped."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tooldrill.agent.engines.base import Generation
from tooldrill.agent.episode import Episode, Hint, Outcome, Step, TriggerName
from tooldrill.agent.functions import FunctionEnvironment
from tooldrill.agent.messages import user
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.run import EpisodeRun, Job
from tooldrill.agent.settings import LoopSettings, WatchdogSettings
from tooldrill.agent.watchdog import TRIGGERS

# Replies that are worth a hint for no other reason than the one under test.
ALONE = {"identical_failures": None, "errors_in_window": None, "same_results": None,
         "same_replies": None, "looping_repeats": None, "steps_left": None}  # fmt: skip
SENTENCE = "I will read the file and then tell you what it says about the budget. "


def look(key: str) -> str:
    """Look a value up."""
    return f"nothing under {key}"


def fail(key: str, value: int = 0) -> str:
    """Never works."""
    raise LookupError(key)


def call(name: str, key: str, value: int | None = None) -> str:
    more = "" if value is None else f', "value": {value}'
    return f'<tool_call>{{"name": "{name}", "arguments": {{"key": "{key}"{more}}}}}</tool_call>'


def started(loop: dict[str, Any] | None = None, max_steps: int = 20, **only: Any) -> EpisodeRun:
    """An episode in which only the named thresholds are in force."""
    environment = FunctionEnvironment({"look": look, "fail": fail})
    watchdog = WatchdogSettings(enabled=True, **{**ALONE, **only})
    settings = LoopSettings(watchdog=watchdog, **(loop or {}))
    job = Job("t", [user("go")], environment.registry, environment, max_steps)
    return EpisodeRun(job, get_protocol("native"), settings)


def fed(run: EpisodeRun, *replies: str | Generation) -> list[Hint | None]:
    """The hint after each reply."""
    for reply in replies:
        run.take(Generation(text=reply) if isinstance(reply, str) else reply)
    return [step.injected for step in run.steps]


def ended(run: EpisodeRun) -> Episode:
    assert run.episode is not None
    return run.episode


def test_the_same_failing_call_three_times_whatever_the_order_of_its_arguments() -> None:
    run = started(identical_failures=3)
    turned = '<tool_call>{"name": "fail", "arguments": {"value": 1.0, "key": "a"}}</tool_call>'
    same = call("fail", "a", 1)
    hints = fed(run, call("fail", "b"), same, turned, call("fail", "b"), same, same, turned)
    assert [hint is not None for hint in hints] == [False] * 6 + [True]
    assert hints[-1] == Hint(
        trigger=TriggerName.IDENTICAL_FAILURES,
        text="The same call of fail has failed 3 times in a row. Do not make it again as it is: "
        "read the error, then change the arguments, use another tool, or say what stands in the "
        "way.",
        step=7,
        thresholds={"identical_failures": 3},
    )
    assert run.messages[-1] == user(hints[-1].text)


def test_a_hint_uses_its_evidence_up() -> None:
    hints = fed(started(identical_failures=3), *[call("fail", "a")] * 9)
    assert [hint.step for hint in hints if hint] == [3, 6, 9]
    # Three failures have been spoken of: two more are not four of five again.
    run = started(identical_failures=3, errors_in_window=4, error_window=5)
    hints = fed(run, *[call("fail", "a")] * 3, call("fail", "b"), call("fail", "c"))
    assert [hint.step for hint in hints if hint] == [3]


def test_many_errors_among_the_last_few() -> None:
    run = started(errors_in_window=4, error_window=5)
    failing = [call("fail", key) for key in "abcdef"]
    hints = fed(run, *failing[:2], call("look", "x"), failing[2], "<tool_call>{broken")
    assert [hint is not None for hint in hints] == [False] * 4 + [True]
    assert hints[-1] is not None
    assert hints[-1].text == (
        "4 of your last 5 replies came back as errors. Stop and look again at the tools that are "
        "offered and at what is known, then try another way or say what stands in the way."
    )
    assert hints[-1].thresholds == {"errors_in_window": 4, "error_window": 5}
    spread = [failing[0], call("look", "x"), failing[1], call("look", "y"), *failing[2:4]]
    assert not any(fed(started(errors_in_window=4, error_window=5), *spread))


def test_the_same_call_with_the_same_result() -> None:
    hints = fed(started(same_results=3), *[call("look", "a")] * 3)
    assert [hint is not None for hint in hints] == [False, False, True]
    assert hints[-1] is not None
    assert hints[-1].text == (
        "The same call of look was made 3 times in a row, with the same result each time. Unless "
        "you are waiting for it to change, go on from what is known: make another call, or give "
        "the final answer."
    )
    others = [call("look", key) for key in "aabaa"]
    assert not any(fed(started(same_results=3), *others))


@pytest.mark.parametrize("length", [2, 3])
def test_a_circle_of_calls(length: int) -> None:
    circle = [call("look", key) for key in "abc"[:length]]
    hints = fed(started(same_results=3), *circle * 3)
    assert [hint.step for hint in hints if hint] == [3 * length]
    assert hints[-1] is not None
    assert hints[-1].text.startswith(
        f"The same {length} calls were made 3 times in turn, with the same result each time."
    )


def test_the_same_call_whose_result_changes_is_no_circle() -> None:
    values = iter("abcdefgh")

    def poll() -> str:
        return next(values)

    environment = FunctionEnvironment({"poll": poll})
    settings = LoopSettings(watchdog=WatchdogSettings(enabled=True))
    job = Job("t", [user("go")], environment.registry, environment, 20)
    run = EpisodeRun(job, get_protocol("native"), settings)
    assert not any(fed(run, *['<tool_call>{"name": "poll", "arguments": {}}</tool_call>'] * 8))


def test_the_same_unreadable_reply() -> None:
    run = started(same_replies=2)
    hints = fed(run, "<tool_call>{a", "<tool_call>{b", "<tool_call>{b\n")
    assert [hint.step for hint in hints if hint] == [3]
    assert hints[-1] is not None
    assert hints[-1].text == (
        "Your last 2 replies were the same text, and each came back as an error. Do not write it "
        "again: make one call of a tool in the form that the error asks for, or give the final "
        "answer."
    )


def test_the_end_of_the_steps_is_announced_once() -> None:
    run = started(max_steps=5, steps_left=2)
    hints = fed(run, *[call("look", key) for key in "abcd"])
    assert [hint.step for hint in hints if hint] == [3]
    assert hints[2] is not None
    assert hints[2].text == (
        "2 replies are left before this task is ended. Make only the calls that are still needed, "
        "then give the final answer."
    )
    only = fed(started(max_steps=2, steps_left=2), call("look", "a"))[0]
    assert only is not None and only.text.startswith("1 reply is left before this task is ended.")


def test_the_end_of_the_tokens_is_announced() -> None:
    run = started({"max_episode_tokens": 500, "max_reply_tokens": 100}, steps_left=2)
    replies = [Generation(text=call("look", key), reply_tokens=90) for key in "abcdef"]
    hints = fed(run, *replies)
    assert [hint.step for hint in hints if hint] == [4]
    assert hints[3] is not None
    assert hints[3].text.startswith("Replies of about 140 tokens in all are left before")
    # The budget is looked at between replies: the last one may go beyond it.
    assert (ended(run).outcome, ended(run).spent, len(run.steps)) == (
        Outcome.NO_CONCLUSION, "tokens", 6,
    )  # fmt: skip


def test_nothing_is_said_after_the_last_reply_that_may_come() -> None:
    run = started(max_steps=3, identical_failures=3, steps_left=1)
    hints = fed(run, *[call("fail", "a")] * 3)
    assert [hint.trigger if hint else None for hint in hints] == [
        None, TriggerName.BUDGET_ENDS, None,
    ]  # fmt: skip
    assert ended(run).spent == "steps"


def test_a_reply_ended_for_looping_is_no_answer() -> None:
    run = started(looping_repeats=6, looping_characters=600)
    text = "Well: " + SENTENCE * 9
    hints = fed(run, Generation(text=text, stop="looping"))
    step = run.steps[0]
    assert (step.stop, step.conclusion, step.error, step.violations) == ("looping", None, True, [])
    assert step.reply == text
    assert step.observation == (
        "ERROR: The reply repeated itself and was cut off: it is neither a call of a tool nor a "
        "final answer."
    )
    assert hints[0] is not None and hints[0].text == (
        "Your last reply repeated the same text over and over and was cut off. Write it once and "
        "briefly: one call of a tool, or the final answer."
    )
    # The model is shown one copy; the record keeps the reply.
    assert run.messages[1]["content"] == "Well: " + SENTENCE.rstrip() + " [...]"
    assert [m["role"] for m in run.messages] == ["user", "assistant", "user", "user"]
    fed(run, "The budget is 4.")
    assert ended(run).outcome is Outcome.CONCLUDED
    assert step.injected is not None and step.injected.helped is True


def test_what_a_server_cut_off_at_its_longest_is_looked_at_afterwards() -> None:
    looped = Generation(text=SENTENCE * 12, stop="length")
    run = started(looping_repeats=6, looping_characters=600)
    fed(run, looped)
    assert run.steps[0].stop == "looping"
    # Without the watchdog it is what it was: an answer that was cut off.
    run = started()
    fed(run, looped)
    assert (ended(run).outcome, run.steps[0].stop) == (Outcome.CONCLUDED, "length")
    # What the model ended itself may hold as many equal lines as it likes.
    run = started(looping_repeats=6, looping_characters=600)
    fed(run, SENTENCE * 12)
    assert (ended(run).outcome, run.steps[0].stop) == (Outcome.CONCLUDED, "stop")


def test_a_call_that_loops_inside_is_judged_as_it_stands() -> None:
    run = started(looping_repeats=6, looping_characters=600)
    opened = '<tool_call>{"name": "look", "arguments": {"key": "'
    fed(run, Generation(text=opened + SENTENCE * 12, stop="looping"))
    assert [str(v.kind) for v in run.steps[0].violations] == ["malformed_call"]
    assert str(run.messages[1]["content"]).startswith(opened + SENTENCE[:20])
    assert len(run.messages[1]["content"]) < 200


def test_a_watch_is_there_only_when_it_is_wanted() -> None:
    assert started().reply_watch() is None
    off = started(looping_repeats=6)
    off.settings.watchdog.enabled = False
    assert off.reply_watch() is None
    watch = started(looping_repeats=6, looping_characters=600).reply_watch()
    assert watch is not None
    assert [watch(SENTENCE) for _ in range(9)] == [False] * 8 + [True]


@pytest.mark.parametrize(
    ("following", "helped"),
    [
        (call("look", "x"), True),
        ("I cannot do it: there is no such key.", True),
        (call("fail", "b"), False),  # another error
        (call("fail", "a"), False),  # the same failing call
        (call("look", "x", 1), False),  # a violation
        ("<tool_call>{", False),
    ],
)
def test_whether_a_hint_helped(following: str, helped: bool) -> None:
    run = started(identical_failures=3, max_steps=4)
    fed(run, *[call("fail", "a")] * 3, following)
    hint = ended(run).steps[2].injected
    assert hint is not None and hint.helped is helped
    again = Episode.model_validate_json(ended(run).model_dump_json(by_alias=True))
    assert again.steps[2].injected == hint


def test_going_on_with_the_circle_is_no_help() -> None:
    circle = [call("look", "a"), call("look", "b")]
    for following, helped in ((circle[0], False), (circle[1], False), (call("look", "c"), True)):
        run = started(same_results=3, max_steps=7)
        fed(run, *circle * 3, following)
        hint = ended(run).steps[5].injected
        assert hint is not None and hint.helped is helped


def test_an_announced_end_helped_when_the_model_concluded_in_time() -> None:
    for last, helped in (("Done.", True), (call("look", "d"), False)):
        run = started(steps_left=2, max_steps=4)
        fed(run, *[call("look", key) for key in "abc"], last)
        hint = ended(run).steps[1].injected
        assert hint is not None and hint.helped is helped
    run = started({"forced_conclusion": True}, steps_left=2, max_steps=3)
    fed(run, *[call("look", key) for key in "abc"], "Done.")
    hint = ended(run).steps[0].injected
    assert ended(run).forced and hint is not None and hint.helped is False


def test_a_hint_that_no_reply_followed_is_not_judged() -> None:
    run = started(identical_failures=3)
    fed(run, *[call("fail", "a")] * 3, Generation(failure="no route"))
    hint = ended(run).steps[2].injected
    assert hint is not None and hint.helped is None


def test_a_disabled_watchdog_is_silent() -> None:
    run = started(**WatchdogSettings().model_dump(exclude={"enabled"}))
    run.settings.watchdog.enabled = False
    looped = Generation(text=SENTENCE * 12, stop="length")
    assert not any(fed(run, *[call("fail", "a")] * 8, looped))
    assert ended(run).conclusion is not None


def test_every_trigger_is_listed_once_with_settings_that_exist() -> None:
    assert sorted(trigger.name for trigger in TRIGGERS) == sorted(TriggerName)
    for trigger in TRIGGERS:
        assert set(trigger.thresholds) <= set(WatchdogSettings.model_fields)
        # What turns it off is the first one.
        assert WatchdogSettings(**{trigger.thresholds[0]: None})


def test_a_window_smaller_than_its_errors_is_refused() -> None:
    with pytest.raises(ValidationError, match="no hint would come"):
        WatchdogSettings(error_window=3, errors_in_window=4)


def test_hints_written_as_text_before_are_still_read() -> None:
    same, rate = (
        Step.model_validate({"reply": "x", "injected": text}).injected
        for text in (
            "The same call of put has failed 3 times. Repeating it cannot help: read the error",
            "4 of the last 5 calls failed. Stop and look again at the signatures of the tools",
        )
    )
    assert same is not None and same.trigger is TriggerName.IDENTICAL_FAILURES
    assert rate is not None and rate.trigger is TriggerName.ERROR_RATE
    assert (rate.helped, rate.thresholds, rate.step) == (None, {}, None)
