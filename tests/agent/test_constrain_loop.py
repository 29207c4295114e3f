"""Constraining in the loop: what is refused before the first episode, and what episodes record."""

from __future__ import annotations

import pytest

from tooldrill.agent.engines.base import Generation
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.functions import FunctionEnvironment
from tooldrill.agent.loop import run_episodes
from tooldrill.agent.messages import user
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.run import EpisodeRun, Job
from tooldrill.agent.settings import LoopSettings, ProtocolName
from tooldrill.agent.violation import ViolationClass


def put(key: str) -> str:
    return f"kept {key}"


def job() -> Job:
    environment = FunctionEnvironment({"put": put})
    return Job("t", [user("go")], environment.registry, environment, 3)


def test_an_engine_that_cannot_constrain_is_refused_before_any_episode() -> None:
    class Server:
        """An engine as far as the loop asks before it begins."""

        slots = 1

        def protocol(self, name: ProtocolName) -> CallProtocol:
            return get_protocol(name)

        def cannot_constrain(self, _protocol: CallProtocol, /) -> str | None:
            return "the server takes no grammar"

    with pytest.raises(TooldrillError, match="takes no grammar") as caught:
        run_episodes([job()], Server(), LoopSettings(constrain="full"))  # type: ignore[arg-type]
    assert "loop.constrain=off" in caught.value.next_step


@pytest.mark.parametrize(("repair", "count"), [(False, 9), (True, 0)])
def test_an_episode_records_what_was_impossible(repair: bool, count: int) -> None:
    settings = LoopSettings(constrain="call", repair=repair)
    run = EpisodeRun(job(), get_protocol("native"), settings)
    assert run.grammar is run.grammar
    run.take(Generation(text="Done."))
    assert run.episode is not None
    assert len(run.episode.impossible) == count
    assert ViolationClass.MALFORMED_CALL not in run.episode.impossible


def test_a_free_episode_records_nothing_as_impossible() -> None:
    run = EpisodeRun(job(), get_protocol("native"), LoopSettings())
    assert run.grammar is None
    run.take(Generation(text="Done."))
    assert run.episode is not None
    assert run.episode.impossible == []
