"""Hand-made tasks and episodes, and an engine that answers by a rule instead of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tooldrill.agent import messages
from tooldrill.agent.call import Call
from tooldrill.agent.engines.base import EngineInfo, Generation, Turn
from tooldrill.agent.episode import CallRecord, Episode, Message, Outcome, Step
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.settings import EngineSettings, LoopSettings, ProtocolName
from tooldrill.agent.tool import Tool
from tooldrill.agent.violation import Violation, ViolationClass
from tooldrill.data.tasks.task import Split, Task, TaskKind
from tooldrill.eval.results import Condition, ModelInfo, Results, Suite, current_versions

TOOLS = ("append_file", "read_file", "write_file")


def openai_tool(name: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    return Tool(name, f"{name} does it.", schema).to_openai()


class Build:
    """Makes the parts of an episode with few words."""

    @staticmethod
    def call(
        name: str = "append_file", *, error: bool = False, path: str = "a.txt", **more: Any
    ) -> Step:
        text = "ERROR: no such file" if error else "ok"
        step = Step(
            reply=f"<tool_call>{name}</tool_call>",
            calls=[CallRecord(name=name, arguments={"path": path})],
            observation=text,
            error=error,
            prompt_tokens=100,
            reply_tokens=20,
            seconds=0.5,
        )
        return step.model_copy(update=more)

    @staticmethod
    def unreadable() -> Step:
        found = Violation(kind=ViolationClass.MALFORMED_CALL, message="not JSON")
        return Step(reply="<tool_call>{", violations=[found], observation="ERROR: x", error=True)

    @staticmethod
    def end(text: str = "Done.") -> Step:
        return Step(reply=text, conclusion=text, prompt_tokens=120, reply_tokens=4, seconds=0.25)

    @staticmethod
    def task(
        kind: TaskKind = TaskKind.ACT,
        oracle: tuple[str, ...] = ("append_file",),
        history: list[Message] | None = None,
        number: int = 0,
    ) -> Task:
        needed = [] if kind is TaskKind.RESTRAIN else oracle
        return Task(
            id=f"files.append-{number:04d}",
            world="files",
            split=Split.TRAIN,
            template="files.append",
            kind=kind,
            prompt="Append it.",
            state={},
            tools=list(TOOLS),
            oracle=[CallRecord(name=name, arguments={"path": "a.txt"}) for name in needed],
            answer="Done.",
            history=history or [],
        )

    @staticmethod
    def failed_history(name: str = "append_file") -> list[Message]:
        return [
            messages.call_message(Call(name, {"path": "a.txt"}), learn=False),
            messages.observation_message(name, "ERROR: no such file"),
        ]

    @staticmethod
    def episode(task: Task, *steps: Step, outcome: Outcome | None = None) -> Episode:
        concluded = bool(steps) and steps[-1].conclusion is not None
        conversation = [messages.user(task.prompt), *task.history]
        for step in steps:
            conversation.append({"role": "assistant", "content": step.reply})
            if step.observation is not None:
                conversation.append({"role": "tool", "content": step.observation})
        return Episode(
            task=task.id,
            world=task.world,
            template=task.template,
            kind=task.kind.value,
            tools=[openai_tool(name) for name in task.tools],
            messages=conversation,
            steps=list(steps),
            outcome=outcome or (Outcome.CONCLUDED if concluded else Outcome.NO_CONCLUSION),
            conclusion=steps[-1].conclusion if concluded else None,
        )

    @staticmethod
    def results(episodes: list[Episode], name: str = "base", suite: str = "0" * 64) -> Results:
        return Results(
            model=ModelInfo(name=name, source=f"{name}.gguf", sha256="a" * 64, quantization="Q8_0"),
            suite=Suite(worlds=["files"], seed=7, tasks=len(episodes), sha256=suite),
            condition=Condition(loop=LoopSettings(), engine=EngineSettings()),
            task_ids=[episode.task for episode in episodes],
            episodes=episodes,
            seconds=12.5,
            versions=current_versions(),
        )


@pytest.fixture
def build() -> type[Build]:
    return Build


Policy = Callable[[Turn], str | None]


class RuleEngine:
    """An engine whose replies follow a rule; None is a failure of the engine.

    Args:
        policy: the reply to a turn.
        die_after: raise KeyboardInterrupt instead of the next reply, as a killed run would stop.
    """

    def __init__(self, policy: Policy, slots: int = 3, die_after: int | None = None) -> None:
        self.info = EngineInfo(kind="endpoint", model="rule", source="test")
        self._policy = policy
        self._slots = slots
        self._left = die_after
        self._waiting: list[Turn] = []
        self.asked: list[str] = []

    @property
    def slots(self) -> int:
        return self._slots

    def protocol(self, name: ProtocolName) -> CallProtocol:
        return get_protocol(name)

    def submit(self, turn: Turn) -> None:
        self._waiting.append(turn)

    def collect(self) -> list[tuple[str, Generation]]:
        if not self._waiting:
            return []
        if self._left == 0:
            raise KeyboardInterrupt
        self._left = None if self._left is None else self._left - 1
        turn = self._waiting.pop(0)
        self.asked.append(turn.key)
        text = self._policy(turn)
        if text is None:
            return [(turn.key, Generation(failure="the endpoint does not answer"))]
        return [(turn.key, Generation(text=text, prompt_tokens=10, reply_tokens=5, seconds=0.01))]

    def release(self, key: str) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def rule_engine() -> type[RuleEngine]:
    return RuleEngine
