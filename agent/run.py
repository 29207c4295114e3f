"""One episode under way: takes replies, checks them, carries out calls, keeps the record.

It knows no engine; `loop` brings it replies. That makes an episode testable with any text.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tooldrill.agent.call import Call, PastCall, Reply
from tooldrill.agent.checker import (
    BLOCKING,
    check_calls,
    check_reply,
    refusal,
    rejected_arguments,
)
from tooldrill.agent.engines.base import Generation
from tooldrill.agent.environment import ERROR_PREFIX, Environment, Observation
from tooldrill.agent.episode import CallRecord, Episode, Message, Outcome, Step
from tooldrill.agent.messages import (
    call_message,
    conclusion_message,
    malformed_message,
    observation_message,
    user,
)
from tooldrill.agent.protocols.base import CallProtocol, is_malformed
from tooldrill.agent.reading import read_reply
from tooldrill.agent.settings import LoopSettings
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import Violation
from tooldrill.agent.watchdog import Watchdog


@dataclass(frozen=True)
class Job:
    """What the loop is asked to do.

    Attributes:
        task_id: names the episode.
        messages: the conversation so far: the prompt, perhaps a history that ends with an error.
        registry: the tools offered.
        environment: carries the calls out.
        max_steps: replies before the episode is cut off.
    """

    task_id: str
    messages: list[Message]
    registry: Registry
    environment: Environment
    max_steps: int
    world: str = ""
    template: str = ""
    kind: str = ""


@dataclass
class EpisodeRun:
    """An episode under way; `episode` is None until it has ended."""

    job: Job
    protocol: CallProtocol
    settings: LoopSettings
    messages: list[Message] = field(init=False)
    past: list[PastCall] = field(init=False)
    steps: list[Step] = field(default_factory=list)
    episode: Episode | None = None

    def __post_init__(self) -> None:
        self.messages = list(self.job.messages)
        self.past = past_calls(self.messages, self.job.registry)
        self._watchdog = Watchdog(self.settings.watchdog)
        self._started = time.perf_counter()

    def take(self, generation: Generation) -> Step | None:
        """Takes the next reply and returns the step it made; None when the engine failed."""
        if generation.failure is not None:
            self._end(Outcome.FAILED, failure=generation.failure)
            return None
        reply = self._read(generation.text)
        violations = check_reply(reply, self.job.registry, self.past)
        step = Step(
            reply=reply.text,
            thought=reply.thought,
            calls=[CallRecord(name=c.name, arguments=c.arguments) for c in reply.calls],
            conclusion=reply.conclusion,
            violations=violations,
            repaired=reply.repaired,
            prompt_tokens=generation.prompt_tokens,
            cached_tokens=generation.cached_tokens,
            reply_tokens=generation.reply_tokens,
            seconds=generation.seconds,
        )
        self.steps.append(step)
        if reply.conclusion is not None:
            self.messages.append(conclusion_message(reply.conclusion))
            self._end(Outcome.CONCLUDED, conclusion=reply.conclusion)
            return step
        self._answer(reply, violations, step)
        if len(self.steps) >= self.job.max_steps:
            self._end(Outcome.NO_CONCLUSION)
        return step

    def _read(self, text: str) -> Reply:
        """The reply; when it is malformed and the loop may mend it, what it was meant to be."""
        reply = read_reply(text, self.protocol, self.job.registry)
        if self.settings.repair and is_malformed(reply):
            return self.protocol.repair(text, self.job.registry) or reply
        return reply

    def _answer(self, reply: Reply, violations: Sequence[Violation], step: Step) -> None:
        """Carries out the first call, or refuses it, and puts the observation into the episode."""
        if reply.calls:
            call = reply.calls[0]
            observation = self._observe(call)
            self.messages.append(call_message(call, reply.thought))
            self.messages.append(observation_message(call.name, observation.text))
            names = rejected_arguments(violations)
            self.past.append(PastCall(call, observation.error, names))
        else:
            observation = Observation(refusal(violations, self.job.registry), error=True)
            self.messages.append(malformed_message(reply.text))
            self.messages.append(user(observation.text))
            self.past.append(PastCall(Call("", {"text": reply.text}), True))
        step.observation, step.error = observation.text, observation.error
        step.injected = self._watchdog.hint(self.past)
        if step.injected:
            self.messages.append(user(step.injected))

    def _observe(self, call: Call) -> Observation:
        violations = check_calls([call], self.job.registry, self.past)
        if any(v.kind in BLOCKING for v in violations):
            return Observation(refusal(violations, self.job.registry), error=True)
        return self.job.environment.call(call.name, call.arguments)

    def _end(
        self, outcome: Outcome, conclusion: str | None = None, failure: str | None = None
    ) -> None:
        self.episode = Episode(
            task=self.job.task_id,
            world=self.job.world,
            template=self.job.template,
            kind=self.job.kind,
            tools=self.job.registry.to_openai(),
            messages=self.messages,
            steps=self.steps,
            outcome=outcome,
            conclusion=conclusion,
            failure=failure,
            seconds=time.perf_counter() - self._started,
        )


def past_calls(messages: Sequence[Message], registry: Registry) -> list[PastCall]:
    """What the checker must know of a conversation: its calls, which failed, what was refused."""
    past: list[PastCall] = []
    waiting: list[Call] = []
    for message in messages:
        if message["role"] == "assistant":
            functions = [item["function"] for item in message.get("tool_calls") or ()]
            waiting = [Call(f["name"], f["arguments"]) for f in functions]
        elif message["role"] == "tool" and waiting:
            call = waiting.pop(0)
            names = rejected_arguments(check_calls([call], registry, past))
            error = str(message["content"]).startswith(ERROR_PREFIX)
            past.append(PastCall(call, error, names))
    return past
