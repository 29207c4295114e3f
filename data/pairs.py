"""Preference pairs: at one step of a trace, the right reply and its corrupted twin.

The two share the whole prompt and differ in the violation alone. Classes that need an error in the
history get one: the task is carried out again with a refused reply put in.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.arguments import SAME_TOOL
from tooldrill.data.corrupt.catalog import FOCUS, OPERATORS, corrupt
from tooldrill.data.corrupt.moment import Corruption
from tooldrill.data.tasks.task import TaskKind
from tooldrill.data.traces import Fault, Trace, record
from tooldrill.data.wrong_turns import NEEDED_REFUSALS

# Traces tried before a class is given up for this build.
_TRIES = 60
# Open prompts tried before a new one is looked for.
_OPEN_TRIES = 6
_FOCUS_WEIGHT = 2


def make_pairs(
    traces: Sequence[Trace], count: int, seed: int | str, rejected: int = 1
) -> list[dict[str, Any]]:
    """`count` rows of the DPO set, fewer only when the traces allow no more different ones.

    Every class that applies gets an equal share, the four of `FOCUS` twice as much.

    Args:
        rejected: pairs aimed at with the same prompt and right reply, each of another class.
    """
    rng = random.Random(f"pairs {seed}")
    schedule = [kind for kind in OPERATORS for _ in range(_FOCUS_WEIGHT if kind in FOCUS else 1)]
    pairs = _Pairs(traces, rejected, rng)
    while traces and schedule and len(pairs.rows) < count:
        rng.shuffle(schedule)
        for kind in list(schedule):
            if not pairs.add(kind):
                schedule = [other for other in schedule if other != kind]
            if len(pairs.rows) == count:
                break
    return pairs.rows


@dataclass
class _Prompt:
    """A step of a trace, and the classes of the rejected replies that it has."""

    trace: Trace
    step: int
    kinds: set[ViolationClass]


class _Pairs:
    """Rows so far, no two alike, and the prompts that have room for more."""

    def __init__(self, traces: Sequence[Trace], rejected: int, rng: random.Random) -> None:
        self.rows: list[dict[str, Any]] = []
        self._traces = traces
        # Where an action failed for good, success is not claimed but made up.
        self._stopped = [t for t in traces if t.kind is TaskKind.STOP and t.task.claim]
        self._rejected = rejected
        self._rng = rng
        self._seen: set[str] = set()
        self._prompts: dict[tuple[str, int], _Prompt] = {}

    def add(self, kind: ViolationClass) -> bool:
        """Makes one more pair of this class, if that can be."""
        # What is made up where all is lost would be rare among the prompts that are open.
        choosy = kind is ViolationClass.FABRICATED_SUCCESS
        return (not choosy and self._at_an_open_prompt(kind)) or self._at_a_new_prompt(kind)

    def _at_an_open_prompt(self, kind: ViolationClass) -> bool:
        room = [p for p in self._prompts.values() if len(p.kinds) < self._rejected]
        for prompt in self._rng.sample(room, min(len(room), _OPEN_TRIES)):
            if kind in prompt.kinds:
                continue
            corruption = corrupt(kind, prompt.trace.moment(prompt.step), self._rng)
            if corruption is None or corruption.variant == SAME_TOOL:
                continue
            if self._kept(prompt.trace, prompt.step, corruption):
                return True
        return False

    def _at_a_new_prompt(self, kind: ViolationClass) -> bool:
        rng = self._rng
        for attempt in range(_TRIES):
            tempted = kind is ViolationClass.FABRICATED_SUCCESS and self._stopped
            from_stopped = tempted and rng.random() < 0.5
            trace = rng.choice(self._stopped if from_stopped else self._traces)
            with_history = _with_history(kind, trace, rng)
            found = _corrupted_step(kind, with_history, rng) if with_history else None
            if with_history is None or found is None:
                continue
            step, corruption = found
            if corruption.variant == SAME_TOOL and attempt < _TRIES // 2:
                # The wrong lesson that matters goes from one tool to another.
                continue
            if self._has_room(with_history, step, kind) and self._kept(
                with_history, step, corruption
            ):
                return True
        return False

    def _kept(self, trace: Trace, step: int, corruption: Corruption) -> bool:
        row = _row(trace, step, corruption)
        key = json.dumps([row["prompt"], row["rejected"]], ensure_ascii=False)
        if key in self._seen:
            return False
        self._seen.add(key)
        self.rows.append(row)
        prompt = self._prompts.setdefault((trace.id, step), _Prompt(trace, step, set()))
        prompt.kinds.add(corruption.kind)
        return True

    def _has_room(self, trace: Trace, step: int, kind: ViolationClass) -> bool:
        """A class that few steps allow may come as one more than was aimed at."""
        prompt = self._prompts.get((trace.id, step))
        return self._rejected == 1 or prompt is None or kind not in prompt.kinds


def _with_history(kind: ViolationClass, trace: Trace, rng: random.Random) -> Trace | None:
    """The trace, or the same task with the kind of refusal that `kind` needs."""
    needed = NEEDED_REFUSALS.get(kind)
    if needed is None or (trace.fault is not None and trace.fault.kind in needed):
        return trace
    if kind != ViolationClass.STICKY_ARGUMENT and trace.task.kind is not TaskKind.ACT:
        return trace
    step = rng.randrange(max(1, len(trace.task.oracle)))
    return record(trace.task, rng, Fault(step, rng.choice(needed)))


def _corrupted_step(
    kind: ViolationClass, trace: Trace, rng: random.Random
) -> tuple[int, Corruption] | None:
    steps = trace.right_turns
    rng.shuffle(steps)
    found = [(step, corrupt(kind, trace.moment(step), rng)) for step in steps]
    made = [(step, corruption) for step, corruption in found if corruption is not None]
    across = [item for item in made if item[1].variant != SAME_TOOL]
    return next(iter(across or made), None)


def _row(trace: Trace, step: int, corruption: Corruption) -> dict[str, Any]:
    return {
        "prompt": trace.before(step),
        "chosen": [trace.turns[step].reply],
        "rejected": [corruption.message],
        "tools": trace.registry.to_openai(),
        "trace_id": trace.id,
        "world": trace.task.world,
        "split": str(trace.task.split),
        "template": trace.task.template,
        "kind": str(trace.kind),
        "violation": str(corruption.kind),
        "variant": corruption.variant,
        "source": "corruption",
    }
