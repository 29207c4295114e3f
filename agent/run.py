"""One episode under way: takes replies, checks them, carries out calls, keeps the record.

It knows no engine; `loop` brings it replies. That makes an episode testable with any text.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tooldrill.agent.call import Call, PastCall, Reply
from tooldrill.agent.checker import (
    BLOCKING,
    check_calls,
    check_reply,
    refusal,
    rejected_arguments,
)
from tooldrill.agent.constrain.grammar import Grammar, reply_grammar
from tooldrill.agent.engines.base import Generation
from tooldrill.agent.environment import ERROR_PREFIX, Environment, Observation
from tooldrill.agent.episode import Budget, CallRecord, Episode, Message, Outcome, Step
from tooldrill.agent.looping_text import Loop
from tooldrill.agent.messages import (
    call_message,
    conclusion_message,
    malformed_message,
    observation_message,
    user,
)
from tooldrill.agent.protocols.base import CallProtocol, Tools, is_malformed
from tooldrill.agent.protocols.json_text import storable
from tooldrill.agent.reading import read_reply
from tooldrill.agent.settings import LoopSettings
from tooldrill.agent.shown import shown_tools
from tooldrill.agent.tool import Registry
from tooldrill.agent.watchdog import Left, Watchdog, judge_hints

_DEMAND = (
    "No more calls can be made in this task. Give the final answer now, without a call: what was "
    "done, what was found, and what is still missing."
)
_NO_ANSWER = (
    "The reply repeated itself and was cut off: it is neither a call of a tool nor a final answer."
)
_CUT = " [...]"


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
    offered: Registry = field(init=False)

    def __post_init__(self) -> None:
        self.messages = list(self.job.messages)
        self.offered = self.job.registry
        self.past = past_calls(self.messages, self.job.registry)
        self._watchdog = Watchdog(self.settings.watchdog)
        self._spent: Budget | None = None
        self._demanded = self._forced = False
        self._grammar: tuple[Registry, Grammar | None] | None = None
        self._impossible = self.grammar.impossible if self.grammar else frozenset()
        self._started = time.perf_counter()

    @property
    def tools(self) -> Tools:
        """The tools that the next reply may call; none once a conclusion is forced."""
        return shown_tools(self.offered, self.settings.signatures)

    @property
    def grammar(self) -> Grammar | None:
        """What the next reply is held to (`LoopSettings.constrain`)."""
        if self._grammar is None or self._grammar[0] is not self.offered:
            mode, repair = self.settings.constrain, self.settings.repair
            made = reply_grammar(self.offered, self.protocol, mode, repair=repair)
            self._grammar = (self.offered, made)
        return self._grammar[1]

    def reply_watch(self) -> Callable[[str], bool] | None:
        """What may end the next reply while it is generated (`Turn.watch`)."""
        return self._watchdog.reply_watch()

    def abandon(self, reason: str, outcome: Outcome = Outcome.FAILED) -> Episode:
        """Ends an episode that cannot go on; what it has so far is kept."""
        return self._end(outcome, failure=reason)

    def take(self, generation: Generation) -> Step | None:
        """Takes the next reply and returns the step it made; None when the engine failed."""
        if generation.failure is not None:
            self.abandon(generation.failure)
            return None
        self._forced = self._demanded
        # A server may cut off at the longest length what a watch would have ended before.
        loop = self._watchdog.loop_in(generation.text) if generation.stop != "stop" else None
        looping = loop is not None or generation.stop == "looping"
        reply = self._read(generation.text)
        step = self._step(generation, reply, looping=looping)
        self.steps.append(step)
        if step.conclusion is not None:
            self.messages.append(conclusion_message(step.conclusion))
            self._end(Outcome.CONCLUDED, conclusion=step.conclusion)
            return step
        self.messages.append(_said(reply, generation.text, loop))
        if self._forced:
            self._end(Outcome.NO_CONCLUSION)
        else:
            self._answer(reply, step)
            self._go_on(step)
        return step

    def _step(self, generation: Generation, reply: Reply, *, looping: bool) -> Step:
        return Step(
            reply=reply.text,
            thought=reply.thought,
            calls=[CallRecord(name=c.name, arguments=c.arguments) for c in reply.calls],
            # The beginning of a text that never ended is no answer.
            conclusion=None if looping else reply.conclusion,
            violations=check_reply(reply, self.offered, self.past),
            repaired=reply.repaired,
            stop="looping" if looping else generation.stop,
            prompt_tokens=generation.prompt_tokens,
            cached_tokens=generation.cached_tokens,
            reply_tokens=generation.reply_tokens,
            seconds=generation.seconds,
        )

    def _read(self, text: str) -> Reply:
        """The reply; when it is malformed and the loop may mend it, what it was meant to be."""
        reply = read_reply(text, self.protocol, self.offered)
        if self.settings.repair and is_malformed(reply):
            return self.protocol.repair(text, self.offered) or reply
        return reply

    def _answer(self, reply: Reply, step: Step) -> None:
        """Carries out the first call, or refuses it, and puts the observation into the episode."""
        if reply.calls:
            call = reply.calls[0]
            observation = self._observe(call)
            self.messages.append(observation_message(call.name, observation.text))
            names = rejected_arguments(step.violations)
            self.past.append(PastCall(call, observation.error, names))
        else:
            # Without a violation it would have been an answer, had it ended.
            observation = (
                Observation(refusal(step.violations, self.offered), error=True)
                if step.violations
                else Observation.failure(_NO_ANSWER)
            )
            self.messages.append(user(observation.text))
            self.past.append(PastCall(Call("", {"text": reply.text}), True))
        step.observation, step.error = observation.text, observation.error

    def _go_on(self, step: Step) -> None:
        """Ends the episode when a budget has run out, else says what the watchdog has to say."""
        limit = self.settings.max_episode_tokens
        used = sum(one.reply_tokens for one in self.steps)
        left = Left(
            steps=self.job.max_steps - len(self.steps),
            tokens=None if limit is None else limit - used,
            reply_tokens=self.settings.max_reply_tokens,
        )
        if left.steps > 0 and (left.tokens is None or left.tokens > 0):
            step.injected = self._watchdog.hint(self.steps, left)
            if step.injected is not None:
                self.messages.append(user(step.injected.text))
            return
        self._spent = "steps" if left.steps <= 0 else "tokens"
        if not self.settings.forced_conclusion:
            self._end(Outcome.NO_CONCLUSION)
            return
        self._demanded, self.offered = True, Registry([])
        self.messages.append(user(_DEMAND))

    def _observe(self, call: Call) -> Observation:
        violations = check_calls([call], self.offered, self.past)
        if any(v.kind in BLOCKING for v in violations):
            return Observation(refusal(violations, self.offered), error=True)
        try:
            observation = self.job.environment.call(call.name, call.arguments)
        except (Exception, SystemExit) as raised:
            # A tool that breaks is the model's to read of, not the loop's to die of.
            observation = Observation.raised(raised)
        return observation._replace(text=storable(observation.text))

    def _end(
        self, outcome: Outcome, conclusion: str | None = None, failure: str | None = None
    ) -> Episode:
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
            spent=self._spent,
            forced=self._forced,
            failure=failure,
            impossible=sorted(self._impossible),
            seconds=time.perf_counter() - self._started,
        )
        judge_hints(self.episode)
        return self.episode


def _said(reply: Reply, text: str, loop: Loop | None) -> Message:
    """The assistant turn of a reply that does not end the episode.

    Of text that loops one copy is kept: a model that reads its own circle goes on with it.
    """
    if reply.calls:
        return call_message(reply.calls[0], reply.thought)
    if loop is None:
        return malformed_message(reply.text)
    return malformed_message(storable(text[: loop.start + len(loop.span)]) + _CUT)


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
