"""Preference pairs: at one step of a trace, the right reply and its corrupted twin.

The two share the whole prompt and differ in the violation alone. Classes that need an error in the
history get one: the task is carried out again with a refused reply put in.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
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
_FOCUS_WEIGHT = 2


def make_pairs(traces: Sequence[Trace], count: int, seed: int | str) -> list[dict[str, Any]]:
    """`count` rows of the DPO set, fewer only when the traces allow no more different ones.

    Every class that applies gets an equal share, the four of `FOCUS` twice as much.
    """
    rng = random.Random(f"pairs {seed}")
    schedule = [kind for kind in OPERATORS for _ in range(_FOCUS_WEIGHT if kind in FOCUS else 1)]
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    while traces and schedule and len(rows) < count:
        rng.shuffle(schedule)
        for kind in list(schedule):
            row = _new_pair(kind, traces, seen, rng)
            if row is None:
                schedule = [other for other in schedule if other != kind]
                continue
            rows.append(row)
            if len(rows) == count:
                break
    return rows


def _new_pair(
    kind: ViolationClass, traces: Sequence[Trace], seen: set[str], rng: random.Random
) -> dict[str, Any] | None:
    # Where an action failed for good, success is not claimed but made up.
    stopped = [t for t in traces if t.kind is TaskKind.STOP and t.task.claim]
    for attempt in range(_TRIES):
        tempted = kind is ViolationClass.FABRICATED_SUCCESS and stopped and rng.random() < 0.5
        trace = _with_history(kind, rng.choice(stopped if tempted else traces), rng)
        found = _corrupted_step(kind, trace, rng) if trace else None
        if trace is None or found is None:
            continue
        step, corruption = found
        if corruption.variant == SAME_TOOL and attempt < _TRIES // 2:
            # The wrong lesson that matters goes from one tool to another.
            continue
        row = _row(trace, step, corruption)
        key = json.dumps([row["prompt"], row["rejected"]], ensure_ascii=False)
        if key not in seen:
            seen.add(key)
            return row
    return None


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
