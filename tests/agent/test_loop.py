"""Many episodes over one engine: what one of them meets does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tooldrill.agent.engines.base import EngineInfo, Generation, Turn
from tooldrill.agent.episode import Episode, Outcome
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.functions import FunctionEnvironment
from tooldrill.agent.loop import Job, run_episodes
from tooldrill.agent.messages import user
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.settings import LoopSettings, ProtocolName, WatchdogSettings

CALL = '<tool_call>{"name": "put", "arguments": {"key": "a"}}</tool_call>'
SENTENCE = "I will read the file and then tell you what it says about the budget. "
Rule = Callable[[Turn], Generation]


class RuleEngine:
    """Replies by a rule, as an engine does it: one turn a sequence, watches and pieces heeded."""

    def __init__(self, rule: Rule, slots: int = 2, refuses: str | None = None) -> None:
        self.info = EngineInfo(kind="endpoint", model="rule", source="test")
        self._rule, self._slots, self._refuses = rule, slots, refuses
        self.held: dict[str, Turn | None] = {}

    @property
    def slots(self) -> int:
        return self._slots

    def protocol(self, name: ProtocolName) -> CallProtocol:
        return get_protocol(name)

    def cannot_constrain(self, protocol: CallProtocol) -> str | None:
        return "a rule has no grammar"

    def submit(self, turn: Turn) -> None:
        if self._refuses is not None and self._refuses in turn.key:
            raise TooldrillError("the chat template refuses the conversation", "give another")
        assert self.held.get(turn.key) is None
        self.held[turn.key] = turn
        assert sum(one is not None for one in self.held.values()) <= self._slots

    def collect(self) -> list[tuple[str, Generation]]:
        waiting = [key for key, turn in self.held.items() if turn is not None]
        if not waiting:
            return []
        turn = self.held[waiting[0]]
        assert turn is not None
        self.held[turn.key] = None
        generation = self._rule(turn)
        said = ""
        for piece in generation.text.split(" "):
            said += (" " if said else "") + piece
            if turn.on_text is not None:
                turn.on_text(piece)
            if turn.watch is not None and turn.watch(" " + piece):
                return [(turn.key, Generation(text=said, stop="looping"))]
        return [(turn.key, generation)]

    def release(self, key: str) -> None:
        self.held.pop(key, None)

    def close(self) -> None:
        """Nothing is held."""


def put(key: str) -> str:
    """Keep a value."""
    return f"kept {key}"


def jobs(count: int, opened: list[str] | None = None) -> Iterator[Job]:
    environment = FunctionEnvironment({"put": put})
    for number in range(count):
        if opened is not None:
            opened.append(f"t{number}")
        yield Job(f"t{number}", [user("go")], environment.registry, environment, 4)


def calls_then_ends(turn: Turn) -> Generation:
    called = any(message["role"] == "tool" for message in turn.messages)
    return Generation(text=f"Done: {turn.key}" if called else CALL)


def test_episodes_come_back_in_the_order_of_the_jobs_and_jobs_are_taken_late() -> None:
    opened: list[str] = []
    under_way: list[int] = []
    done: list[str] = []

    def finish(job: Job, episode: Episode) -> None:
        done.append(job.task_id)
        under_way.append(len(opened) - len(done))

    engine = RuleEngine(calls_then_ends)
    episodes = run_episodes(jobs(5, opened), engine, LoopSettings(), finish)
    assert [episode.task for episode in episodes] == [f"t{number}" for number in range(5)]
    assert [episode.conclusion for episode in episodes] == [f"Done: {n}:t{n}" for n in range(5)]
    assert max(under_way) < engine.slots
    assert engine.held == {}


def test_no_jobs_no_episodes() -> None:
    assert run_episodes([], RuleEngine(calls_then_ends), LoopSettings()) == []


@pytest.mark.parametrize("how", ["refused when submitted", "failed while generating"])
def test_an_episode_that_the_engine_fails_at_does_not_stop_the_others(how: str) -> None:
    def rule(turn: Turn) -> Generation:
        bad = "t1" in turn.key or "t4" in turn.key
        return Generation(failure="no memory") if bad else calls_then_ends(turn)

    refused = how.startswith("refused")
    engine = RuleEngine(calls_then_ends, refuses="t1") if refused else RuleEngine(rule)
    done: list[str] = []
    episodes = run_episodes(
        jobs(5), engine, LoopSettings(), lambda job, episode: done.append(job.task_id)
    )
    failed = {e.task: e.failure for e in episodes if e.outcome is Outcome.FAILED}
    assert failed == (
        {"t1": "the chat template refuses the conversation (give another)"}
        if refused
        else {"t1": "no memory", "t4": "no memory"}
    )
    assert sorted(done) == [f"t{number}" for number in range(5)]
    assert engine.held == {}


def test_every_episode_refused_still_ends() -> None:
    engine = RuleEngine(calls_then_ends, refuses="t")
    episodes = run_episodes(jobs(7), engine, LoopSettings())
    assert [episode.outcome for episode in episodes] == [Outcome.FAILED] * 7


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_loop_lets_go_of_the_engine_and_hands_over_what_it_has(
    error: type[BaseException],
) -> None:
    asked: list[str] = []

    def rule(turn: Turn) -> Generation:
        asked.append(turn.key)
        if len(asked) == 6:
            raise error
        return calls_then_ends(turn)

    engine = RuleEngine(rule)
    done: list[Episode] = []
    left: list[Episode] = []
    with pytest.raises(error):
        run_episodes(
            jobs(5),
            engine,
            LoopSettings(),
            lambda job, episode: done.append(episode),
            on_abandoned=lambda job, episode: left.append(episode),
        )
    assert [episode.task for episode in done] == ["t0", "t1"]
    assert [episode.task for episode in left] == ["t2", "t3"]
    assert {episode.failure for episode in left} == {error.__name__}
    outcome = Outcome.FAILED if issubclass(error, Exception) else Outcome.INTERRUPTED
    assert {episode.outcome for episode in left} == {outcome}
    # The first of them was about to reply for the second time.
    assert [len(episode.steps) for episode in left] == [1, 0]
    assert engine.held == {}
    # The same engine goes on with other episodes.
    assert len(run_episodes(jobs(3), engine, LoopSettings())) == 3


def test_the_text_of_a_reply_is_given_out_as_it_comes() -> None:
    heard: dict[str, list[str]] = {}
    run_episodes(
        jobs(2),
        RuleEngine(calls_then_ends),
        LoopSettings(),
        on_text=lambda job, piece: heard.setdefault(job.task_id, []).append(piece),
    )
    assert heard["t1"] == [*CALL.split(" "), "Done:", "1:t1"]


def test_a_reply_that_loops_is_ended_only_under_a_watchdog() -> None:
    def rule(turn: Turn) -> Generation:
        hinted = any("cut off" in str(m["content"]) for m in turn.messages)
        return Generation(text="It is 4." if hinted else SENTENCE * 40)

    off, on = (
        run_episodes(
            jobs(1), RuleEngine(rule), LoopSettings(watchdog=WatchdogSettings(enabled=enabled))
        )[0]
        for enabled in (False, True)
    )
    assert (off.conclusion, len(off.steps)) == ((SENTENCE * 40).strip(), 1)
    assert (on.conclusion, [step.stop for step in on.steps]) == ("It is 4.", ["looping", "stop"])
    assert 600 <= len(on.steps[0].reply) < 620
    assert on.steps[0].injected is not None and on.steps[0].injected.helped is True


def test_a_forced_conclusion_is_asked_for_without_tools() -> None:
    shown: list[Any] = []

    def rule(turn: Turn) -> Generation:
        shown.append([tool["function"]["name"] for tool in turn.tools])
        return Generation(text=CALL if turn.tools else "Not all of it.")

    settings = LoopSettings(forced_conclusion=True)
    (episode,) = run_episodes(jobs(1), RuleEngine(rule), settings)
    assert shown == [["put"]] * 4 + [[]]
    assert (episode.conclusion, episode.forced, episode.spent) == ("Not all of it.", True, "steps")
