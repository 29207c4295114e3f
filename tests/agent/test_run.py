"""An episode fed with texts by hand: what is executed, refused, remembered, and how it ends."""

from __future__ import annotations

from typing import Any

import pytest

from tooldrill.agent.call import Call
from tooldrill.agent.engines.base import Generation
from tooldrill.agent.environment import Observation
from tooldrill.agent.episode import Episode, Outcome
from tooldrill.agent.functions import FunctionEnvironment
from tooldrill.agent.messages import call_message, observation_message, user
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.run import EpisodeRun, Job, past_calls
from tooldrill.agent.settings import LoopSettings, ProtocolName

CALLED: list[tuple[str, Any]] = []


def put(key: str, value: int = 0) -> str:
    """Keep a value."""
    CALLED.append((key, value))
    return f"kept {key}"


def fail(key: str) -> str:
    """Never works."""
    raise LookupError(key)


@pytest.fixture
def environment() -> FunctionEnvironment:
    CALLED.clear()
    return FunctionEnvironment({"put": put, "fail": fail})


def episode(
    environment: FunctionEnvironment,
    *replies: str,
    max_steps: int = 8,
    repair: bool = False,
    protocol: ProtocolName = "native",
) -> EpisodeRun:
    settings = LoopSettings(protocol=protocol, repair=repair)
    job = Job("t", [user("go")], environment.registry, environment, max_steps)
    run = EpisodeRun(job, get_protocol(protocol), settings)
    for text in replies:
        run.take(Generation(text=text))
    return run


def call(name: str, arguments: str) -> str:
    return f'<tool_call>{{"name": "{name}", "arguments": {arguments}}}</tool_call>'


def test_a_call_is_carried_out_and_a_conclusion_ends(environment: FunctionEnvironment) -> None:
    run = episode(environment, call("put", '{"key": "a", "value": 2}'), "Done.")
    assert CALLED == [("a", 2)]
    assert run.episode is not None
    assert run.episode.outcome is Outcome.CONCLUDED
    assert run.episode.conclusion == "Done."
    assert [m["role"] for m in run.episode.messages] == ["user", "assistant", "tool", "assistant"]
    assert [s.observation for s in run.episode.steps] == ["kept a", None]


def test_a_breach_is_refused_and_not_executed(environment: FunctionEnvironment) -> None:
    run = episode(environment, call("put", '{"key": "a", "force": true}'))
    assert CALLED == []
    step = run.steps[0]
    assert step.error
    assert step.observation == ('ERROR: put has no parameter "force". Signature: put(key, value=0)')
    # The same name once more has become a lesson not learned.
    again = run.take(Generation(text=call("put", '{"key": "b", "force": true}')))
    assert again is not None
    assert [str(v.kind) for v in again.violations] == ["sticky_argument"]


def test_only_the_first_of_several_calls_is_carried_out(environment: FunctionEnvironment) -> None:
    run = episode(environment, call("put", '{"key": "a"}') + call("put", '{"key": "b"}'))
    assert CALLED == [("a", 0)]
    assert [str(v.kind) for v in run.steps[0].violations] == ["multiple_calls"]
    assert len(run.messages[1]["tool_calls"]) == 1


def test_a_tool_that_raises_is_an_error_observation(environment: FunctionEnvironment) -> None:
    run = episode(environment, call("fail", '{"key": "a"}'), call("fail", '{"key": "a"}'))
    assert run.steps[0].observation == "ERROR: LookupError: a"
    assert [str(v.kind) for v in run.steps[1].violations] == ["repeated_failure"]


def test_an_unreadable_reply_is_kept_raw_and_answered(environment: FunctionEnvironment) -> None:
    run = episode(environment, "<tool_call>{broken")
    assert run.messages[1]["content"] == "<tool_call>{broken"
    assert run.messages[1]["malformed"] is True
    assert run.messages[2]["content"].startswith("ERROR: ")
    assert run.episode is None


def test_the_step_budget_ends_an_episode(environment: FunctionEnvironment) -> None:
    run = episode(environment, *[call("put", f'{{"key": "{i}"}}') for i in range(3)], max_steps=3)
    assert run.episode is not None
    assert run.episode.outcome is Outcome.NO_CONCLUSION
    assert len(run.episode.steps) == 3


def test_a_failed_engine_is_not_the_models_fault(environment: FunctionEnvironment) -> None:
    run = episode(environment)
    assert run.take(Generation(failure="no route")) is None
    assert run.episode is not None
    assert (run.episode.outcome, run.episode.failure) == (Outcome.FAILED, "no route")


def spent(environment: FunctionEnvironment, *last: str, **loop: Any) -> EpisodeRun:
    """An episode whose three steps are gone, then given further replies."""
    settings = LoopSettings(forced_conclusion=True, **loop)
    job = Job("t", [user("go")], environment.registry, environment, 3)
    run = EpisodeRun(job, get_protocol(settings.protocol), settings)
    for text in [*[call("put", f'{{"key": "{i}"}}') for i in range(3)], *last]:
        run.take(Generation(text=text))
    return run


def test_a_conclusion_can_be_forced_when_the_steps_are_gone(
    environment: FunctionEnvironment,
) -> None:
    run = spent(environment)
    assert (run.episode, run.tools) == (None, [])
    assert run.messages[-1] == user(
        "No more calls can be made in this task. Give the final answer now, without a call: what "
        "was done, what was found, and what is still missing."
    )
    run.take(Generation(text="Two of three are done."))
    assert run.episode is not None
    record = run.episode
    assert (record.outcome, record.conclusion) == (Outcome.CONCLUDED, "Two of three are done.")
    assert (record.forced, record.spent) == (True, "steps")
    assert (len(record.steps), len(record.own_steps)) == (4, 3)
    # The episode says what was offered while the model had a choice.
    assert [tool["function"]["name"] for tool in record.tools] == ["put", "fail"]


def test_a_call_is_no_forced_conclusion_and_is_not_carried_out(
    environment: FunctionEnvironment,
) -> None:
    run = spent(environment, call("put", '{"key": "late"}'))
    assert run.episode is not None
    assert (run.episode.outcome, run.episode.forced) == (Outcome.NO_CONCLUSION, True)
    assert "late" not in [key for key, _ in CALLED]
    assert [v.message for v in run.steps[-1].violations] == ['There is no tool "put". Tools: none.']
    assert run.messages[-1]["role"] == "assistant"


def test_an_engine_that_fails_at_the_forced_conclusion_leaves_the_steps_as_they_are(
    environment: FunctionEnvironment,
) -> None:
    run = spent(environment)
    run.take(Generation(failure="no route"))
    assert run.episode is not None
    assert (run.episode.outcome, run.episode.forced) == (Outcome.FAILED, False)
    assert len(run.episode.own_steps) == len(run.episode.steps) == 3


def test_a_forced_conclusion_in_react_json(environment: FunctionEnvironment) -> None:
    settings = LoopSettings(protocol="react_json", forced_conclusion=True)
    job = Job("t", [user("go")], environment.registry, environment, 1)
    run = EpisodeRun(job, get_protocol("react_json"), settings)
    run.take(Generation(text='{"thought": "", "action": "put", "args": {"key": "a"}}'))
    chat, shown = run.protocol.to_chat(run.messages, run.tools)
    assert shown is None and "put(" not in chat[0]["content"]
    run.take(Generation(text='{"thought": "", "conclusion": "Kept."}'))
    assert run.episode is not None
    assert (run.episode.conclusion, run.episode.forced) == ("Kept.", True)


def test_an_environment_that_raises_is_an_error_observation() -> None:
    class Broken:
        def __init__(self, error: BaseException) -> None:
            self.error = error

        def call(self, name: str, arguments: dict[str, Any]) -> Observation:
            raise self.error

    registry = FunctionEnvironment({"put": put}).registry
    for error, text in (
        (ConnectionError("gone"), "ERROR: ConnectionError: gone"),
        (SystemExit(3), "ERROR: SystemExit: 3"),
    ):
        job = Job("t", [user("go")], registry, Broken(error), 8)
        run = EpisodeRun(job, get_protocol("native"), LoopSettings())
        step = run.take(Generation(text=call("put", '{"key": "a"}')))
        assert step is not None and run.episode is None
        assert (step.observation, step.error) == (text, True)
    run = EpisodeRun(
        Job("t", [user("go")], registry, Broken(KeyboardInterrupt()), 8),
        get_protocol("native"),
        LoopSettings(),
    )
    with pytest.raises(KeyboardInterrupt):
        run.take(Generation(text=call("put", '{"key": "a"}')))


def test_an_observation_that_utf8_cannot_hold_is_recorded() -> None:
    environment = FunctionEnvironment({"put": lambda key: f"half \ud83d {key}"})
    run = episode(environment, call("put", '{"key": "a"}'))
    assert run.steps[0].observation == "half \\ud83d a"
    assert run.steps[0].model_dump_json()


def test_an_episode_given_up_keeps_what_it_has(environment: FunctionEnvironment) -> None:
    run = episode(environment, call("put", '{"key": "a"}'))
    record = run.abandon("KeyboardInterrupt")
    assert run.episode is record
    assert (record.outcome, record.failure) == (Outcome.FAILED, "KeyboardInterrupt")
    assert [step.observation for step in record.steps] == ["kept a"]


def test_a_history_is_remembered(environment: FunctionEnvironment) -> None:
    bad = Call("put", {"key": "a", "force": 1})
    history = [call_message(bad), observation_message("put", "ERROR: no such parameter")]
    (past,) = past_calls(history, environment.registry)
    assert past == (bad, True, ("force",))


BROKEN = '<tool_call>{"name": "put", "arguments": {"key": "a", "value": 2,}}</tool_call>'


def test_a_malformed_call_is_mended_only_where_the_loop_may(
    environment: FunctionEnvironment,
) -> None:
    run = episode(environment, BROKEN)
    assert (CALLED, run.steps[0].repaired, run.steps[0].calls) == ([], False, [])
    run = episode(environment, BROKEN, "Done.", repair=True)
    assert CALLED == [("a", 2)]
    step = run.steps[0]
    assert step.repaired and step.reply == BROKEN
    assert [c.model_dump() for c in step.calls] == [
        {"name": "put", "arguments": {"key": "a", "value": 2}}
    ]
    assert [str(v.kind) for v in step.violations] == ["malformed_call"]
    assert (step.observation, step.error) == ("kept a", False)
    # The history shows the call as it should have been written.
    assert run.messages[1] == call_message(Call("put", {"key": "a", "value": 2}))
    # Whoever judges the episode later still sees an undisciplined reply.
    assert run.episode is not None
    again = Episode.model_validate_json(run.episode.model_dump_json(by_alias=True))
    assert again.steps[0].repaired and again.steps[0].violations == step.violations
    assert not run.steps[1].repaired and run.steps[1].violations == []


def test_a_mended_call_is_checked_like_any_other(environment: FunctionEnvironment) -> None:
    run = episode(environment, BROKEN.replace('"value": 2', '"force": True'), repair=True)
    assert CALLED == []
    step = run.steps[0]
    assert [str(v.kind) for v in step.violations] == ["malformed_call", "invented_argument"]
    assert step.error and 'no parameter "force"' in str(step.observation)
    assert run.past[0].rejected_arguments == ("force",)


def test_what_cannot_be_mended_is_answered_as_malformed(environment: FunctionEnvironment) -> None:
    run = episode(environment, "<tool_call>put the value</tool_call>", repair=True)
    assert not run.steps[0].repaired
    assert run.messages[1]["malformed"] is True
    assert [str(v.kind) for v in run.steps[0].violations] == ["malformed_call"]


def test_a_mended_conclusion_ends_an_episode(environment: FunctionEnvironment) -> None:
    text = "```json\n{'conclusion': 'Done.'}\n```"
    run = episode(environment, text, repair=True, protocol="react_json")
    assert run.episode is not None
    assert (run.episode.outcome, run.episode.conclusion) == (Outcome.CONCLUDED, "Done.")
    assert run.steps[0].repaired
    assert [str(v.kind) for v in run.steps[0].violations] == ["malformed_call"]


def test_text_that_utf8_cannot_hold_is_recorded(environment: FunctionEnvironment) -> None:
    run = episode(environment, "Done \ud83d.")
    assert run.steps[0].reply == "Done \\ud83d."
    run = episode(environment, '<tool_call>{"name": "\ud83d"}</tool_call>')
    assert [str(v.kind) for v in run.steps[0].violations] == ["malformed_call"]
    assert "\\ud83d" in run.steps[0].model_dump_json()
