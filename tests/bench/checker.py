"""How fast the checker is: `make bench-checker`.

Real calls of the worlds' own tasks and the data stage's corruptions of them, against one registry
of 50 tools, on one core. Beside checks per second it prints what a check costs as a multiple of
reading the same reply with `json.loads`, which does not depend on the machine. Not a test.
"""

from __future__ import annotations

import json
import platform
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.checker import check_calls, check_reply, check_text
from tooldrill.agent.messages import call_message
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.tool import Registry
from tooldrill.data.corrupt.catalog import EPISODE_CLASSES, OPERATORS, corrupt
from tooldrill.data.corrupt.damage import for_protocol
from tooldrill.data.corrupt.moment import Moment
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import run_oracle
from tooldrill.data.worlds.catalog import WORLDS, get_world

TOOLS = 50
SECONDS = 1.0  # of each measurement; the best of three is printed
PAST = (PastCall(Call("nothing", {"force": True}), True, ("force",)),)


class Sample(NamedTuple):
    """A reply as text, and its calls as values."""

    text: str
    calls: list[Call]


def main() -> None:
    """Prints the table."""
    registry = _registry()
    right, wrong = _samples(registry)
    mixed = right + wrong[: len(right)]
    random.Random(0).shuffle(mixed)
    print(f"{len(registry)} tools, {len(right)} right and {len(wrong)} corrupted replies, one core")
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}\n")
    print(f"{'':34}{'per second':>12}{'x json.loads':>14}")
    reading = _rate(lambda s: json.loads(s.text.partition(">")[2].rpartition("<")[0]), right)
    _line("json.loads of a right reply", reading, reading)
    for name, samples in (("right", right), ("corrupted", wrong), ("half and half", mixed)):
        _line(f"check the calls, {name}", _rate(_check_calls(registry), samples), reading)
        _line(f"read and check the text, {name}", _rate(_check_text(registry), samples), reading)
    print("\ncalls in one check, microseconds a call (linear: the column stays level)")
    calls = [call for sample in mixed for call in sample.calls] * 10
    for size in (1, 10, 100, 1000):
        print(f"{size:>6} {1e6 / _chunked(registry, calls, size):>8.2f}")


def _registry() -> Registry:
    tools = {tool.name: tool for name in WORLDS for tool in get_world(name).registry}
    if len(tools) < TOOLS:
        raise SystemExit(f"the worlds have only {len(tools)} tools of different names")
    return Registry(list(tools.values())[:TOOLS]).compiled()


def _samples(registry: Registry) -> tuple[list[Sample], list[Sample]]:
    tasks = make_tasks(list(WORLDS), 200, 0, (5, 8), recovery=0.0, restraint=0.0)
    native = get_protocol("native")
    right, wrong = [], []
    rng = random.Random(0)
    for task in tasks:
        for call, _ in run_oracle(task):
            if call.name not in registry:
                continue
            right.append(Sample(native.write(call_message(call)), [call]))
            moment = Moment(registry, call, "Done.", PAST)
            for kind in sorted(OPERATORS.keys() - EPISODE_CLASSES):
                corruption = corrupt(kind, moment, rng)
                if corruption is not None:
                    [message] = for_protocol([corruption.message], native)
                    calls = [corruption.call] if corruption.call else []
                    wrong.append(Sample(native.write(message), calls))
    rng.shuffle(wrong)
    missed = [s for s in wrong if not check_text(s.text, registry, history=PAST)]
    flagged = [s for s in right if check_text(s.text, registry, history=PAST)]
    if missed or flagged:
        raise SystemExit(f"{len(missed)} corruptions missed, {len(flagged)} right replies flagged")
    return right, wrong


def _check_calls(registry: Registry) -> Callable[[Sample], Any]:
    return lambda sample: check_calls(sample.calls, registry, PAST)


def _check_text(registry: Registry) -> Callable[[Sample], Any]:
    parse = get_protocol("native").parse
    return lambda sample: check_reply(parse(sample.text), registry, PAST)


def _rate(work: Callable[[Sample], Any], samples: Sequence[Sample]) -> float:
    best = 0.0
    for _ in range(3):
        done, started = 0, time.perf_counter()
        while (spent := time.perf_counter() - started) < SECONDS:
            for sample in samples:
                work(sample)
            done += len(samples)
        best = max(best, done / spent)
    return best


def _chunked(registry: Registry, calls: Sequence[Call], size: int) -> float:
    """Calls per second when the same calls come `size` at a time."""
    chunks = [Sample("", list(calls[i : i + size])) for i in range(0, len(calls), size)]
    checks = _rate(lambda chunk: check_calls(chunk.calls, registry, PAST), chunks)
    return checks * len(calls) / len(chunks)


def _line(name: str, rate: float, reading: float) -> None:
    print(f"{name:<34}{rate:>12,.0f}{reading / rate:>14.1f}")


if __name__ == "__main__":
    main()
